package s3

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/tree"
)

const (
	// requestTime bounds requests without large content, and transferTime the others,
	// retries included.
	requestTime  = time.Minute
	transferTime = 20 * time.Minute
	// attempts is how often a request is sent, with backoff between.
	attempts = 5
	// parallel is the number of concurrent requests of one operation.
	parallel = 8
	// partSize is the size from which an upload has several parts.
	partSize = 64 << 20
	// maxObject bounds every object, and maxObjects the objects of a list.
	maxObject  = 16 << 30
	maxObjects = 1 << 20
)

// Config configures a Bucket.
type Config struct {
	Location Location
	// Dir is a folder for the cache and unfinished transfers. One process at a time may
	// use it.
	Dir string
	// CacheSize bounds the cached artifacts, and BuildCache the stored builds, in bytes.
	CacheSize, BuildCache int64
	// Installation identifies the owner of the prefix.
	Installation string
	Now          func() time.Time
	// Removals decides which objects are deleted, if several servers use the prefix. With
	// nil, objects that are not needed are deleted at once.
	Removals blob.Removals
	// Credentials replaces the credentials of the environment; nil for those.
	Credentials *credentials.Credentials
}

// A Bucket is a connection to the objects of one installation. All methods are safe for
// concurrent use.
type Bucket struct {
	config Config
	client minio.Core
	// transfers is the folder of temporary files.
	transfers string
}

// Open connects to the service and checks that the credentials suffice, and that the
// prefix belongs to the installation. The error says what the operator can do.
func Open(ctx context.Context, config Config) (*Bucket, error) {
	b, err := connect(config)
	if err != nil {
		return nil, err
	}
	b.transfers = filepath.Join(config.Dir, "transfers")
	if err := errors.Join(tree.Remove(b.transfers), os.MkdirAll(b.transfers, 0o700)); err != nil {
		return nil, err
	}
	if err := b.check(ctx); err != nil {
		return nil, fmt.Errorf("%v: %w", b.config.Location, err)
	}
	if err := b.claim(ctx); err != nil {
		return nil, fmt.Errorf("%v: %w", b.config.Location, err)
	}
	return b, nil
}

// Check returns an error if the bucket of a location does not exist or the credentials
// of the environment do not suffice. It leaves no object.
func Check(ctx context.Context, l Location) error {
	b, err := connect(Config{Location: l, Now: time.Now})
	if err != nil {
		return err
	}
	if err := b.check(ctx); err != nil {
		return fmt.Errorf("%v: %w", b.config.Location, err)
	}
	return nil
}

func connect(config Config) (*Bucket, error) {
	l, err := config.Location.withEnvironment()
	if err != nil {
		return nil, err
	}
	config.Location = l
	host, secure := l.host()
	lookup := minio.BucketLookupDNS
	if l.PathStyle {
		lookup = minio.BucketLookupPath
	}
	if config.Credentials == nil {
		config.Credentials = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{},
			// For EC2, ECS and EKS. Elsewhere there is no such service, and nothing waits.
			&credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}},
		})
	}
	client, err := minio.New(host, &minio.Options{
		Creds: config.Credentials, Secure: secure, Region: l.Region, BucketLookup: lookup,
		Transport: newTransport(), MaxRetries: attempts,
	})
	if err != nil {
		return nil, explain("connect to the S3 service", err)
	}
	client.SetAppInfo("jeton", "1")
	return &Bucket{config: config, client: minio.Core{Client: client}}, nil
}

func (b *Bucket) key(parts ...string) string {
	return b.config.Location.Prefix + strings.Join(parts, "/")
}

// An object is an entry of a list.
type object struct {
	// key includes the prefix of the bucket; parts are what follows the listed folder.
	key      string
	parts    []string
	size     int64
	modified time.Time
}

// list returns the objects below a folder whose names have the given number of parts.
// It ignores all others.
func (b *Bucket) list(ctx context.Context, parts int, folder ...string) ([]object, error) {
	prefix := b.key(folder...) + "/"
	var found []object
	err := b.each(ctx, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}, func(o minio.ObjectInfo) {
		rest, ok := strings.CutPrefix(o.Key, prefix)
		names := strings.Split(rest, "/")
		if ok && len(names) == parts && checkNames(names...) == nil && o.Size >= 0 && o.Size <= maxObject {
			found = append(found, object{key: o.Key, parts: names, size: o.Size, modified: o.LastModified})
		}
	})
	return found, err
}

// folders returns the names of the folders in a folder.
func (b *Bucket) folders(ctx context.Context, folder string) ([]string, error) {
	prefix := b.key(folder) + "/"
	var found []string
	err := b.each(ctx, minio.ListObjectsOptions{Prefix: prefix}, func(o minio.ObjectInfo) {
		name, isFolder := strings.CutSuffix(strings.TrimPrefix(o.Key, prefix), "/")
		if isFolder && checkNames(name) == nil {
			found = append(found, name)
		}
	})
	return found, err
}

func (b *Bucket) each(ctx context.Context, options minio.ListObjectsOptions, do func(minio.ObjectInfo)) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	count := 0
	for o := range b.client.ListObjectsIter(ctx, b.config.Location.Bucket, options) {
		if o.Err != nil {
			return explain("list objects", o.Err)
		}
		if count++; count > maxObjects {
			return fmt.Errorf("list objects: more than %d below %q", maxObjects, options.Prefix)
		}
		do(o)
	}
	return explain("list objects", ctx.Err())
}

// put stores the content of a file under a key.
func (b *Bucket) put(ctx context.Context, key string, file *os.File, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, transferTime)
	defer cancel()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := b.client.Client.PutObject(ctx, b.config.Location.Bucket, key, file, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 2,
	})
	return explain("put object", err)
}

// read calls use with the content of an object, and returns an error that wraps
// errDamaged unless the content has the size and the SHA-256 digest. It calls use again
// after an error of the transfer.
func (b *Bucket) read(ctx context.Context, o object, digest string, use func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, transferTime)
	defer cancel()
	var err error
	for attempt := range attempts {
		if attempt > 0 {
			if pauseErr := pause(ctx, attempt); pauseErr != nil {
				return errors.Join(err, pauseErr)
			}
		}
		var again bool
		if again, err = b.readOnce(ctx, o, digest, use); !again {
			return err
		}
	}
	return err
}

// pause waits before an attempt: 100 ms, doubled with each attempt.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(50 * time.Millisecond << attempt)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// readOnce also reports whether another attempt may succeed.
func (b *Bucket) readOnce(ctx context.Context, o object, digest string, use func(io.Reader) error) (again bool, err error) {
	body, _, _, err := b.client.GetObject(withBodyLimit(ctx, o.size), b.config.Location.Bucket, o.key, minio.GetObjectOptions{})
	if err != nil {
		return false, explain("get object", err) // The client has tried again.
	}
	defer body.Close()
	hash := sha256.New()
	transfer := &reader{from: io.TeeReader(body, hash)}
	err = use(transfer)
	if err == nil {
		_, err = io.Copy(io.Discard, transfer)
	}
	if transfer.err != nil {
		return ctx.Err() == nil, explain("get object", transfer.err)
	}
	// Content that cannot be unpacked is damaged, unless its digest is right.
	_, _ = io.Copy(io.Discard, transfer)
	if transfer.count != o.size || hex.EncodeToString(hash.Sum(nil)) != digest {
		return true, fmt.Errorf("get object %q: %w: got %d bytes with another digest than that of its name", o.key, errDamaged, transfer.count)
	}
	return false, err
}

// reader counts bytes and keeps the first error, to tell errors of the transfer from
// those of its user.
type reader struct {
	from  io.Reader
	count int64
	err   error
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.count += int64(n)
	if err != nil && !errors.Is(err, io.EOF) && r.err == nil {
		r.err = err
	}
	return n, err
}

// remove removes objects. It succeeds for those that do not exist.
func (b *Bucket) remove(ctx context.Context, objects []object) error {
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, o := range objects {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, requestTime)
			defer cancel()
			err := explain("delete object", b.client.RemoveObject(ctx, b.config.Location.Bucket, o.key, minio.RemoveObjectOptions{}))
			if errors.Is(err, blob.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

// temporary creates a file for a transfer. It has no name, so that it disappears when it
// is closed.
func (b *Bucket) temporary() (*os.File, error) {
	file, err := os.CreateTemp(b.transfers, "transfer-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// newAttempt returns the unique last part of a key. Those of later attempts are greater,
// as far as clocks agree.
func (b *Bucket) newAttempt() string {
	return fmt.Sprintf("%016x-%s", b.config.Now().UnixNano(), strings.ToLower(rand.Text()))
}

// checkNames returns blob.ErrInvalidName unless each name is that of a single file.
func checkNames(names ...string) error {
	for _, name := range names {
		if name == "" || name == "." || len(name) > 255 || name != filepath.Base(name) || !filepath.IsLocal(name) {
			return fmt.Errorf("%.100q: %w", name, blob.ErrInvalidName)
		}
	}
	return nil
}
