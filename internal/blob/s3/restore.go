package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/minio/minio-go/v7"

	"github.com/jeton-dev/jeton/internal/blob"
)

// ErrNotEmpty is returned by BeginRestore for a prefix that has objects.
var ErrNotEmpty = errors.New("the prefix of the bucket is not empty: choose another prefix, or delete its objects")

// restoreMarker is an object that exists while a backup is loaded.
const restoreMarker = "jeton-restore"

// BeginRestore opens a bucket whose prefix is empty, or has what an interrupted restore of
// the same installation has left. Otherwise it returns ErrNotEmpty and changes nothing.
func BeginRestore(ctx context.Context, config Config) (*Bucket, error) {
	b, err := connect(config)
	if err != nil {
		return nil, err
	}
	if err := b.check(ctx); err != nil {
		return nil, fmt.Errorf("%v: %w", b.config.Location, err)
	}
	if err := b.beginRestore(ctx); err != nil {
		return nil, fmt.Errorf("%v: %w", b.config.Location, err)
	}
	return Open(ctx, config)
}

func (b *Bucket) beginRestore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	key := b.key(restoreMarker)
	found, err := b.getSmall(ctx, key)
	if err == nil && string(found) == b.config.Installation {
		return nil
	}
	if err != nil && !errors.Is(explain("", err), blob.ErrNotFound) {
		return explain("get the marker of the restore", err)
	}
	for o := range b.client.ListObjectsIter(ctx, b.config.Location.Bucket, minio.ListObjectsOptions{Prefix: b.config.Location.Prefix, Recursive: true, MaxKeys: 1}) {
		if o.Err != nil {
			return explain("list objects", o.Err)
		}
		return ErrNotEmpty
	}
	return explain("put the marker of the restore", b.putSmall(ctx, key, []byte(b.config.Installation), minio.PutObjectOptions{}))
}

// EndRestore makes later restores to the prefix fail.
func (b *Bucket) EndRestore(ctx context.Context) error {
	return b.remove(ctx, []object{{key: b.key(restoreMarker)}})
}
