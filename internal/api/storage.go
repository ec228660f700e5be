package api

import (
	"context"
	"sync"
)

// reservations count the bytes of the archives that are being received, by project.
// The zero value is ready to use.
type reservations struct {
	mu    sync.Mutex
	bytes map[string]int64
}

func (r *reservations) add(projectID string, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes == nil {
		r.bytes = map[string]int64{}
	}
	if r.bytes[projectID] += bytes; r.bytes[projectID] == 0 {
		delete(r.bytes, projectID)
	}
}

func (r *reservations) of(projectID string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes[projectID]
}

// checkStorage returns the error of a quota that is used up unless the project has
// room for an archive of a length.
func (a *API) checkStorage(ctx context.Context, projectID string, length int64) error {
	return a.withRoom(ctx, projectID, length, func() {})
}

// reserve makes room for an archive of a length, until release is called. It must be
// released in the step in which the archive is kept, or it counts twice.
func (a *API) reserve(ctx context.Context, projectID string, length int64) (release func(), err error) {
	err = a.withRoom(ctx, projectID, length, func() { a.reserved.add(projectID, length) })
	return sync.OnceFunc(func() { a.reserved.add(projectID, -length) }), err
}

// withRoom calls use if the project has room for an archive of a length. Nothing is
// kept in between.
func (a *API) withRoom(ctx context.Context, projectID string, length int64, use func()) error {
	ids, err := a.Service.FunctionIDs(ctx, projectID)
	if err != nil {
		return err
	}
	return a.Archives.Usage(ctx, ids, func(used int64) error {
		if err := a.Service.CheckStorage(used+a.reserved.of(projectID), length); err != nil {
			return err
		}
		use()
		return nil
	})
}
