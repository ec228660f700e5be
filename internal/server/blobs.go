package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/internal/projectcache"
)

// blobs is the storage of archives, artifacts and builds: folders, or a bucket.
type blobs struct {
	archives  blob.Archives
	artifacts artifacts
	builds    blob.BuildCache
	// collect deletes objects that are no longer needed; nil if that happens at once.
	collect func(context.Context) error
}

// artifacts also has the workspaces that a process which was killed has left.
type artifacts interface {
	blob.Artifacts
	SweepWorkspaces(release func(workspace string) error) error
}

func openBlobs(ctx context.Context, config Config, data folder, storage *storage, opened *closers) (*blobs, error) {
	if err := checkLocation(ctx, config, data, storage); err != nil {
		return nil, err
	}
	if config.Blobs != "" {
		return openBucket(ctx, config, data, storage, opened)
	}
	archives, err := files.OpenArchives(data.path("archives"))
	if err != nil {
		return nil, err
	}
	artifacts, err := files.OpenArtifacts(data.path("artifacts"))
	if err != nil {
		return nil, err
	}
	builds, err := files.OpenBuildCache(data.path("builds"), config.BuildCache, config.Now)
	if err != nil {
		return nil, err
	}
	return &blobs{archives: archives, artifacts: artifacts, builds: builds}, nil
}

// cacheName returns the name of the cache of a server with a data folder.
func cacheName(dataDir string) string {
	sum := sha256.Sum256([]byte(dataDir))
	return hex.EncodeToString(sum[:8])
}

// openBucket opens an S3 bucket, with a cache on this machine.
func openBucket(ctx context.Context, config Config, data folder, storage *storage, opened *closers) (*blobs, error) {
	location, err := s3.ParseLocation(config.Blobs)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	// The content of the cache becomes code of functions.
	if err := projectcache.Secure(config.CacheDir); err != nil {
		return nil, err
	}
	removals, err := openRemovals(config, storage)
	if err != nil {
		return nil, err
	}
	bucket, err := s3.Open(ctx, s3.Config{
		Location: location, Installation: storage.installation, Now: config.Now, Removals: removals,
		// Servers with different data folders may have the same cache folder.
		Dir:       filepath.Join(config.CacheDir, "blobs", cacheName(config.DataDir)),
		CacheSize: config.BlobCache, BuildCache: config.BuildCache,
	})
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	if err := recordLocation(ctx, config, data, storage); err != nil {
		return nil, err
	}
	artifacts, err := bucket.Artifacts(ctx)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	opened.add(artifacts)
	builds, err := bucket.BuildCache()
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	all := &blobs{archives: bucket.Archives(), artifacts: artifacts, builds: builds}
	if removals != nil {
		all.collect = bucket.Collect
	}
	return all, nil
}
