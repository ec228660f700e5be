package harness

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// batchSize is the number of tokens in one transaction.
const batchSize = 20_000

// Seed adds n tokens of a namespace to the database of a stopped server, and returns
// their IDs, the oldest first. Path is the database's file.
func Seed(ctx context.Context, path string, of *function.Namespace, n int) (ids []string, err error) {
	objects, err := sqlite.Open(ctx, path, time.Now)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	for len(ids) < n {
		err := objects.Update(ctx, func(tx store.Tx) error {
			for range min(batchSize, n-len(ids)) {
				id := uuid.NewString()
				err := tx.Put(functions.Token{
					ID: id, Region: "fr-par", ProjectID: of.ProjectID, NamespaceID: of.ID, Status: functions.Ready,
					CreatedAt: time.Unix(1_700_000_000, int64(len(ids))), Digest: functions.DigestOf(of.ID + strconv.Itoa(len(ids))),
				})
				if err != nil {
					return err
				}
				ids = append(ids, id)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}
