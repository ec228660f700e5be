package api

import (
	"context"

	"github.com/jeton-dev/jeton/internal/blob"
)

// checkStorage returns an error with the code QuotaExceeded if an archive of the given
// length would exceed the project's storage quota.
func (a *API) checkStorage(ctx context.Context, projectID string, length int64) error {
	d, err := a.demand(ctx, projectID, length)
	if err != nil {
		return err
	}
	return a.config.Reservations.Check(ctx, a.config.Archives, d)
}

// reserve reserves storage for an archive of the given length; see blob.Reservations.
func (a *API) reserve(ctx context.Context, projectID string, length int64) (release func(), err error) {
	d, err := a.demand(ctx, projectID, length)
	if err != nil {
		return nil, err
	}
	return a.config.Reservations.Reserve(ctx, a.config.Archives, d)
}

func (a *API) demand(ctx context.Context, projectID string, length int64) (blob.Demand, error) {
	ids, err := a.config.Service.FunctionIDs(ctx, projectID)
	return blob.Demand{ProjectID: projectID, FunctionIDs: ids, Bytes: length, Check: a.config.Service.CheckStorage}, err
}
