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

// checkStorage returns the error of a quota that is used up unless the project has
// room for an archive of a length.
func (a *API) checkStorage(ctx context.Context, projectID string, length int64) error {
	a.reserved.mu.Lock()
	defer a.reserved.mu.Unlock()
	return a.checkRoom(ctx, projectID, length)
}

// reserve makes room for an archive of a length, until release is called.
func (a *API) reserve(ctx context.Context, projectID string, length int64) (release func(), err error) {
	a.reserved.mu.Lock()
	defer a.reserved.mu.Unlock()
	if err := a.checkRoom(ctx, projectID, length); err != nil {
		return nil, err
	}
	if a.reserved.bytes == nil {
		a.reserved.bytes = map[string]int64{}
	}
	a.reserved.bytes[projectID] += length
	return func() {
		a.reserved.mu.Lock()
		defer a.reserved.mu.Unlock()
		if a.reserved.bytes[projectID] -= length; a.reserved.bytes[projectID] == 0 {
			delete(a.reserved.bytes, projectID)
		}
	}, nil
}

// checkRoom is called with a.reserved locked.
func (a *API) checkRoom(ctx context.Context, projectID string, length int64) error {
	ids, err := a.Service.FunctionIDs(ctx, projectID)
	if err != nil {
		return err
	}
	used, err := a.Archives.Usage(ids)
	if err != nil {
		return err
	}
	return a.Service.CheckStorage(used+a.reserved.bytes[projectID], length)
}
