package blob

import (
	"context"
	"sync"
)

// Reservations counts the bytes of the uploads in progress by project. The zero value is
// ready to use. It is safe for concurrent use.
type Reservations struct {
	// Shared has the uploads of all servers that store archives at the same place; nil if
	// there are no others. It must not be changed after the first use.
	Shared SharedReservations

	local localReservations
}

// SharedReservations are the uploads in progress of several servers.
type SharedReservations interface {
	// Sum returns the bytes of the uploads of a project.
	Sum(ctx context.Context, projectID string) (bytes int64, err error)
	// Add adds an upload until release is called, and returns the bytes of those of the
	// project that were added before.
	Add(ctx context.Context, projectID string, bytes int64) (others int64, release func(), err error)
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
	if r.Shared == nil {
		return archives.Usage(ctx, d.FunctionIDs, func(used int64) error { return d.Check(used+r.local.of(d.ProjectID), d.Bytes) })
	}
	// Before the archives are counted: an upload that ends meanwhile counts at least once.
	others, err := r.Shared.Sum(ctx, d.ProjectID)
	if err != nil {
		return err
	}
	return archives.Usage(ctx, d.FunctionIDs, func(used int64) error { return d.Check(used+others, d.Bytes) })
}

// Reserve reserves storage until release is called, after Check. The caller releases it in
// the step that stores the archive; otherwise it counts twice. With Shared, an upload that
// is refused may count for others for a moment. Otherwise no archive is stored between the
// check and the reservation.
func (r *Reservations) Reserve(ctx context.Context, archives measured, d Demand) (release func(), err error) {
	if r.Shared == nil {
		return r.reserve(ctx, archives, d)
	}
	others, release, err := r.Shared.Add(ctx, d.ProjectID, d.Bytes)
	if err != nil {
		return func() {}, err
	}
	err = archives.Usage(ctx, d.FunctionIDs, func(used int64) error { return d.Check(used+others, d.Bytes) })
	if err != nil {
		release()
		return func() {}, err
	}
	return release, nil
}

func (r *Reservations) reserve(ctx context.Context, archives measured, d Demand) (release func(), err error) {
	err = archives.Usage(ctx, d.FunctionIDs, func(used int64) error {
		if err := d.Check(used+r.local.of(d.ProjectID), d.Bytes); err != nil {
			return err
		}
		r.local.add(d.ProjectID, d.Bytes)
		return nil
	})
	if err != nil {
		return func() {}, err
	}
	return sync.OnceFunc(func() { r.local.add(d.ProjectID, -d.Bytes) }), nil
}

// localReservations are those of this server.
type localReservations struct {
	mu    sync.Mutex
	bytes map[string]int64
}

func (r *localReservations) add(projectID string, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes == nil {
		r.bytes = map[string]int64{}
	}
	if r.bytes[projectID] += bytes; r.bytes[projectID] == 0 {
		delete(r.bytes, projectID)
	}
}

func (r *localReservations) of(projectID string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes[projectID]
}
