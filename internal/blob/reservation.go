package blob

import (
	"context"
	"sync"
)

// Reservations counts the bytes of the uploads in progress by project. The zero value is
// ready to use. It is safe for concurrent use.
type Reservations struct {
	mu    sync.Mutex
	bytes map[string]int64
}

// A Demand asks for storage for an archive.
type Demand struct {
	// FunctionIDs are all functions of the project.
	ProjectID   string
	FunctionIDs []string
	Bytes       int64
	// Check returns an error if a project that uses some bytes cannot store more.
	Check func(used, more int64) error
}

// measured is the part of Archives that this file uses.
type measured interface {
	Usage(ctx context.Context, functionIDs []string, use func(bytes int64) error) error
}

// Check returns the error of the demand's Check, with the uploads in progress.
func (r *Reservations) Check(ctx context.Context, archives measured, d Demand) error {
	return r.within(ctx, archives, d, func() {})
}

// Reserve reserves storage until release is called, after Check. The caller releases it in
// the step that stores the archive; otherwise it counts twice. No archive is stored between
// the check and the reservation.
func (r *Reservations) Reserve(ctx context.Context, archives measured, d Demand) (release func(), err error) {
	err = r.within(ctx, archives, d, func() { r.add(d.ProjectID, d.Bytes) })
	if err != nil {
		return func() {}, err
	}
	return sync.OnceFunc(func() { r.add(d.ProjectID, -d.Bytes) }), nil
}

func (r *Reservations) within(ctx context.Context, archives measured, d Demand, use func()) error {
	return archives.Usage(ctx, d.FunctionIDs, func(used int64) error {
		if err := d.Check(used+r.of(d.ProjectID), d.Bytes); err != nil {
			return err
		}
		use()
		return nil
	})
}

func (r *Reservations) add(projectID string, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes == nil {
		r.bytes = map[string]int64{}
	}
	if r.bytes[projectID] += bytes; r.bytes[projectID] == 0 {
		delete(r.bytes, projectID)
	}
}

func (r *Reservations) of(projectID string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes[projectID]
}
