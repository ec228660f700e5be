package api

import (
	"context"
	"sync"
)

// reservations counts the bytes of the uploads in progress by project. The zero value is
// ready to use. It is safe for concurrent use.
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

// checkStorage returns an error with the code QuotaExceeded if an archive of the given
// length would exceed the project's storage quota.
func (a *API) checkStorage(ctx context.Context, projectID string, length int64) error {
	return a.withinQuota(ctx, projectID, length, func() {})
}

// reserve reserves storage for an archive of the given length until release is called. The
// caller releases it in the step that stores the archive; otherwise it counts twice.
func (a *API) reserve(ctx context.Context, projectID string, length int64) (release func(), err error) {
	err = a.withinQuota(ctx, projectID, length, func() { a.reserved.add(projectID, length) })
	return sync.OnceFunc(func() { a.reserved.add(projectID, -length) }), err
}

// withinQuota calls use if an archive of the given length does not exceed the project's
// storage quota. No archive is stored between the check and the call.
func (a *API) withinQuota(ctx context.Context, projectID string, length int64, use func()) error {
	ids, err := a.config.Service.FunctionIDs(ctx, projectID)
	if err != nil {
		return err
	}
	return a.config.Archives.Usage(ctx, ids, func(used int64) error {
		if err := a.config.Service.CheckStorage(used+a.reserved.of(projectID), length); err != nil {
			return err
		}
		use()
		return nil
	})
}
