package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/removal"
	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

const (
	// bucketFile is the file of the data folder with the bucket of its blobs.
	bucketFile = "bucket.id"

	// collectInterval is the time between two deletions of objects that are due, and
	// sweepInterval that between two sweeps of the bucket by any server.
	collectInterval = time.Minute
	sweepInterval   = 5 * time.Minute
)

// checkLocation returns an error if the data folder or the database belongs to other
// blobs than the configuration: functions would lack their code.
func checkLocation(ctx context.Context, config Config, data folder, storage *storage) error {
	location, err := locationOf(config)
	if err != nil {
		return err
	}
	recorded, err := os.ReadFile(data.path(bucketFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if known := strings.TrimSpace(string(recorded)); known != "" && known != location {
		return fmt.Errorf("the code of functions is in %s: pass that URL with --blobs or, if you have copied all objects, remove %s", known, data.path(bucketFile))
	}
	shared, ok := storage.store.(*postgres.Store)
	if !ok {
		return nil
	}
	used, err := shared.HasSetting(ctx, postgres.BlobsSetting)
	if err != nil || !used {
		return err
	}
	return checkShared(ctx, location, shared)
}

// checkShared returns an error if the servers of a database use another bucket. It records
// the location if it is the first.
func checkShared(ctx context.Context, location string, shared *postgres.Store) error {
	recorded, err := shared.Setting(ctx, postgres.BlobsSetting, func() ([]byte, error) { return []byte(location), nil })
	if err == nil && string(recorded) != location {
		err = fmt.Errorf("the code of the functions of this database is in %s: pass that URL with --blobs or, if you have copied all objects, change the row blobs of the table settings", recorded)
	}
	return err
}

// recordLocation makes later starts without the bucket fail.
func recordLocation(ctx context.Context, config Config, data folder, storage *storage) error {
	location, err := locationOf(config)
	if err != nil {
		return err
	}
	if shared, ok := storage.store.(*postgres.Store); ok {
		if err := checkShared(ctx, location, shared); err != nil {
			return err
		}
	}
	return renameio.WriteFile(data.path(bucketFile), []byte(location+"\n"), 0o600, renameio.WithTempDir(string(data)))
}

// locationOf returns the bucket and prefix of the blobs, or "" for folders.
func locationOf(config Config) (string, error) {
	if config.Blobs == "" {
		return "", nil
	}
	l, err := s3.ParseLocation(config.Blobs)
	if err != nil {
		return "", fmt.Errorf("blobs: %w", err)
	}
	return "s3://" + l.Bucket + "/" + strings.TrimSuffix(l.Prefix, "/"), nil
}

// openRemovals returns nil for a bucket that one server uses: it removes objects at once.
func openRemovals(config Config, storage *storage) (blob.Removals, error) {
	shared, ok := storage.store.(*postgres.Store)
	if !ok {
		return nil, nil
	}
	return removal.New(removal.Config{Database: shared, Retention: config.BlobRetention, Interval: sweepInterval, Now: config.Now})
}

// collectBlobs deletes objects that are no longer needed until ctx ends.
func (s *Server) collectBlobs(ctx context.Context) {
	if s.collect == nil {
		return
	}
	ticker := time.NewTicker(collectInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := s.collect(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "objects that are no longer needed could not be deleted, trying again", "error", err)
		}
	}
}
