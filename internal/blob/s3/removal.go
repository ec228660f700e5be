package s3

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
)

const (
	// collectMost bounds the objects that one Collect deletes, and those that it examines.
	collectMost = 1000
	// sweepAge is the age from which an object to which nothing refers is condemned. A
	// younger one may be about to be committed.
	sweepAge = time.Hour
	// commitAttempts is how often an archive is uploaded whose upload was condemned before
	// its commit.
	commitAttempts = 3
)

// discard condemns objects of a function to which nothing refers. If one server uses the
// bucket, it removes them.
func (b *Bucket) discard(ctx context.Context, functionID string, objects []object) error {
	if b.config.Removals == nil {
		return b.remove(ctx, objects)
	}
	return b.config.Removals.Condemn(ctx, functionID, b.named(objects))
}

// condemned returns the keys of condemned objects of functions, without the prefix of the
// bucket.
func (b *Bucket) condemned(ctx context.Context, functionIDs []string) (map[string]bool, error) {
	if b.config.Removals == nil || len(functionIDs) == 0 {
		return nil, nil
	}
	return b.config.Removals.Condemned(ctx, functionIDs)
}

// name returns an object for Removals. It returns false for keys that are neither those of
// archives nor of artifacts.
func (b *Bucket) name(key string) (blob.Object, bool) {
	key = strings.TrimPrefix(key, b.config.Location.Prefix)
	parts := strings.Split(key, "/")
	if len(parts) != 4 || checkNames(parts...) != nil {
		return blob.Object{}, false
	}
	switch parts[0] {
	case archivesFolder:
		return blob.Object{Key: key, FunctionID: parts[1], Archive: parts[2]}, true
	case artifactsFolder:
		return blob.Object{Key: blob.Ref{FunctionID: parts[1], Name: parts[2]}.Key(), FunctionID: parts[1], Artifact: parts[2]}, true
	}
	return blob.Object{}, false
}

func (b *Bucket) named(objects []object) []blob.Object {
	found := make([]blob.Object, 0, len(objects))
	for _, o := range objects {
		if named, ok := b.name(o.key); ok {
			found = append(found, named)
		}
	}
	return found
}

// Collect deletes objects that were condemned long enough ago, and condemns objects to
// which nothing refers, such as those of a server that crashed. One call does a bounded
// amount of work. Servers that share the bucket may call it at the same time. It does
// nothing without Config.Removals.
func (b *Bucket) Collect(ctx context.Context) error {
	if b.config.Removals == nil {
		return nil
	}
	return errors.Join(b.deleteDue(ctx), b.sweep(ctx))
}

func (b *Bucket) deleteDue(ctx context.Context) error {
	keys, err := b.config.Removals.Due(ctx, collectMost)
	if err != nil || len(keys) == 0 {
		return err
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	var mu sync.Mutex
	var deleted []string
	for _, key := range keys {
		group.Go(func() error {
			if err := b.deleteKey(ctx, key); err != nil {
				return fmt.Errorf("delete %s: %w", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			deleted = append(deleted, key)
			return nil
		})
	}
	err = group.Wait()
	if len(deleted) == 0 {
		return err
	}
	return errors.Join(err, b.config.Removals.Deleted(ctx, deleted))
}

// deleteKey deletes a copy of an archive, or an artifact.
func (b *Bucket) deleteKey(ctx context.Context, key string) error {
	parts := strings.Split(key, "/")
	if err := checkNames(parts...); err != nil {
		return err
	}
	if parts[0] == archivesFolder && len(parts) == 4 {
		return b.remove(ctx, []object{{key: b.key(parts...)}})
	}
	if parts[0] != artifactsFolder || len(parts) != 3 {
		return fmt.Errorf("%.200q: %w", key, blob.ErrInvalidName)
	}
	// The last part of the key of an artifact is its digest.
	found, err := b.list(ctx, 1, parts...)
	if err != nil {
		return err
	}
	return b.remove(ctx, found)
}

// sweep condemns those of the next collectMost objects to which nothing refers.
func (b *Bucket) sweep(ctx context.Context) error {
	after, begun, err := b.config.Removals.BeginSweep(ctx)
	if err != nil || !begun {
		return err
	}
	found, last, err := b.page(ctx, after)
	if err != nil {
		return err
	}
	byFunction, ids := map[string][]blob.Object{}, []string{}
	for _, o := range found {
		if byFunction[o.FunctionID] == nil {
			ids = append(ids, o.FunctionID)
		}
		byFunction[o.FunctionID] = append(byFunction[o.FunctionID], o)
	}
	known, err := b.condemned(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var unknown []blob.Object
		for _, o := range byFunction[id] {
			if !known[o.Key] {
				unknown = append(unknown, o)
			}
		}
		if err := b.config.Removals.Condemn(ctx, id, unknown); err != nil {
			return fmt.Errorf("condemn objects of function %s: %w", id, err)
		}
	}
	return b.config.Removals.EndSweep(ctx, last)
}

// page returns the old archives and artifacts among the collectMost keys after a key, and
// the last of these keys, "" for the end of the bucket. Keys are without the prefix of the
// bucket.
func (b *Bucket) page(ctx context.Context, after string) (found []blob.Object, last string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	// This prefix is that of archives and artifacts, and of no other objects.
	prefix := b.key(commonPrefix(archivesFolder, artifactsFolder))
	options := minio.ListObjectsOptions{Prefix: prefix, Recursive: true, MaxKeys: collectMost}
	if after != "" {
		options.StartAfter = b.key(after)
	}
	count := 0
	for o := range b.client.ListObjectsIter(ctx, b.config.Location.Bucket, options) {
		if o.Err != nil {
			return nil, "", explain("list objects", o.Err)
		}
		if count++; count > collectMost {
			return found, last, nil
		}
		last = strings.TrimPrefix(o.Key, b.config.Location.Prefix)
		if named, ok := b.name(o.Key); ok && b.config.Now().Sub(o.LastModified) > sweepAge {
			found = append(found, named)
		}
	}
	return found, "", explain("list objects", ctx.Err())
}

// commonPrefix returns the longest common prefix of two texts.
func commonPrefix(x, y string) string {
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return x[:n]
}

// copyOf returns a copy of an archive for Removals.
func copyOf(functionID, digest, attempt string) blob.Object {
	return blob.Object{Key: path.Join(archivesFolder, functionID, digest, attempt), FunctionID: functionID, Archive: digest}
}
