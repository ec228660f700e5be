package s3

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
)

const archivesFolder = "archives"

// Archives implements blob.Archives.
type Archives struct {
	bucket *Bucket
	// mu makes the steps "commit" and "read what is needed and remove the rest" exclude
	// each other. It guards uncommitted.
	mu sync.Mutex
	// uncommitted are the keys of uploads that have not been committed yet.
	uncommitted map[string]bool
}

var _ blob.Archives = (*Archives)(nil)

// Archives returns the archives of the bucket. Call it once.
func (b *Bucket) Archives() *Archives {
	return &Archives{bucket: b, uncommitted: map[string]bool{}}
}

// Put implements blob.Archives.
func (a *Archives) Put(ctx context.Context, functionID string, r io.Reader, limit int64, commit func(blob.Archive) error) (blob.Archive, error) {
	if err := checkNames(functionID); err != nil {
		return blob.Archive{}, err
	}
	file, err := a.bucket.temporary()
	if err != nil {
		return blob.Archive{}, err
	}
	defer file.Close()
	archive, err := receive(file, r, limit)
	if err != nil {
		return blob.Archive{}, err
	}
	for range commitAttempts {
		if err = a.upload(ctx, functionID, file, &archive, commit); !errors.Is(err, blob.ErrCondemned) {
			break
		}
	}
	return archive, err
}

// upload stores and commits one copy of an archive, and sets its key.
func (a *Archives) upload(ctx context.Context, functionID string, file *os.File, archive *blob.Archive, commit func(blob.Archive) error) error {
	named := copyOf(functionID, archive.Digest, a.bucket.newAttempt())
	uploaded := object{key: a.bucket.key(named.Key)}
	if a.bucket.config.Removals != nil {
		archive.Key = named.Key
	}
	a.mu.Lock()
	a.uncommitted[uploaded.key] = true
	a.mu.Unlock()
	err := a.bucket.put(ctx, uploaded.key, file, archive.Size)
	return a.settle(ctx, named, uploaded, *archive, err, commit)
}

// settle commits an upload. It removes the upload after an error, and older uploads of
// the same archive after a commit.
func (a *Archives) settle(ctx context.Context, named blob.Object, uploaded object, archive blob.Archive, err error, commit func(blob.Archive) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer delete(a.uncommitted, uploaded.key)
	if err == nil {
		err = commit(archive)
	}
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		// A commit with an unknown outcome may refer to the upload: Removals finds out.
		return errors.Join(err, a.bucket.discard(ctx, named.FunctionID, []object{uploaded}))
	}
	// A duplicate takes space only: the archive is committed.
	_ = a.removeDuplicates(ctx, named, uploaded.key)
	return nil
}

// removeDuplicates removes the uploads of an archive whose keys are less than that of a
// committed one. Thus of several uploads that are committed at the same time, also by
// other processes, the one with the greatest key remains.
func (a *Archives) removeDuplicates(ctx context.Context, kept blob.Object, committed string) error {
	found, err := a.bucket.list(ctx, 1, archivesFolder, kept.FunctionID, kept.Archive)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(o object) bool { return o.key >= committed || a.uncommitted[o.key] })
	if removals := a.bucket.config.Removals; removals != nil {
		return removals.CondemnCopies(ctx, kept, a.bucket.named(found))
	}
	return a.bucket.remove(ctx, found)
}

// receive copies r to the file.
func receive(file *os.File, r io.Reader, limit int64) (blob.Archive, error) {
	digest, sum := sha256.New(), md5.New()
	size, err := io.Copy(io.MultiWriter(file, digest, sum), io.LimitReader(r, limit+1))
	if err != nil {
		return blob.Archive{}, fmt.Errorf("receive archive: %w", err)
	}
	if size > limit {
		return blob.Archive{}, blob.ErrTooLarge
	}
	return blob.Archive{Digest: hex.EncodeToString(digest.Sum(nil)), MD5: hex.EncodeToString(sum.Sum(nil)), Size: size}, nil
}

// Open implements blob.Archives. It downloads the archive to a temporary file.
func (a *Archives) Open(ctx context.Context, functionID, digest string) (blob.Content, error) {
	if err := checkNames(functionID, digest); err != nil {
		return nil, err
	}
	var err error
	for range 2 { // An upload may be replaced by a duplicate after find.
		var found object
		if found, err = a.find(ctx, functionID, digest); err != nil {
			break
		}
		var opened blob.Content
		if opened, err = a.download(ctx, found, digest); err == nil {
			return opened, nil
		}
		if !errors.Is(err, blob.ErrNotFound) {
			break
		}
	}
	return nil, fmt.Errorf("open archive %s: %w", digest, err)
}

func (a *Archives) download(ctx context.Context, found object, digest string) (blob.Content, error) {
	file, err := a.bucket.temporary()
	if err != nil {
		return nil, err
	}
	err = a.bucket.read(ctx, found, digest, func(r io.Reader) error {
		_, err := file.Seek(0, io.SeekStart)
		if err == nil {
			err = file.Truncate(0)
		}
		if err == nil {
			_, err = io.Copy(file, r)
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return content{file, found.size}, nil
}

// find returns a committed upload of an archive.
func (a *Archives) find(ctx context.Context, functionID, digest string) (object, error) {
	found, err := a.bucket.list(ctx, 1, archivesFolder, functionID, digest)
	if err != nil {
		return object{}, err
	}
	a.mu.Lock()
	found = slices.DeleteFunc(found, func(o object) bool { return a.uncommitted[o.key] })
	a.mu.Unlock()
	if len(found) == 0 {
		return object{}, blob.ErrNotFound
	}
	return found[len(found)-1], nil
}

// content implements blob.Content.
type content struct {
	*os.File

	size int64
}

// Size implements blob.Content.
func (c content) Size() int64 { return c.size }

// Size implements blob.Archives.
func (a *Archives) Size(ctx context.Context, functionID, digest string) (int64, error) {
	if err := checkNames(functionID, digest); err != nil {
		return 0, err
	}
	found, err := a.find(ctx, functionID, digest)
	if err != nil {
		return 0, fmt.Errorf("find archive %s: %w", digest, err)
	}
	return found.size, nil
}

// Usage implements blob.Archives. Several uploads of one archive count once.
func (a *Archives) Usage(ctx context.Context, functionIDs []string, use func(bytes int64) error) error {
	if err := checkNames(functionIDs...); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	used, err := a.usage(ctx, functionIDs)
	if err != nil {
		return fmt.Errorf("measure archives: %w", err)
	}
	return use(used)
}

// manyFunctions is the number of functions from which one list of all archives needs
// fewer requests than one list per function.
const manyFunctions = 16

func (a *Archives) usage(ctx context.Context, functionIDs []string) (int64, error) {
	condemned, err := a.bucket.condemned(ctx, functionIDs)
	if err != nil {
		return 0, err
	}
	if len(functionIDs) >= manyFunctions {
		counted := map[string]bool{}
		for _, id := range functionIDs {
			counted[id] = true
		}
		found, err := a.bucket.list(ctx, 3, archivesFolder)
		return a.sum(slices.DeleteFunc(found, func(o object) bool { return !counted[o.parts[0]] }), condemned), err
	}
	sizes := make([]int64, len(functionIDs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, id := range functionIDs {
		group.Go(func() error {
			found, err := a.bucket.list(ctx, 2, archivesFolder, id)
			sizes[i] = a.sum(found, condemned)
			return err
		})
	}
	err = group.Wait()
	var used int64
	for _, size := range sizes {
		used += size
	}
	return used, err
}

// sum adds the sizes of committed archives that are not condemned. Uploads of the same
// archive differ in the last part of their keys.
func (a *Archives) sum(found []object, condemned map[string]bool) int64 {
	var bytes int64
	counted := map[string]bool{}
	for _, o := range found {
		name := o.key[:len(o.key)-len(o.parts[len(o.parts)-1])]
		if !counted[name] && !a.uncommitted[o.key] && !condemned[strings.TrimPrefix(o.key, a.bucket.config.Location.Prefix)] {
			bytes += o.size
			counted[name] = true
		}
	}
	return bytes
}

// Prune implements blob.Archives. It leaves uploads that have not been committed: a commit
// that fails removes its upload.
func (a *Archives) Prune(ctx context.Context, functionID string, needed func() ([]string, error)) error {
	if err := checkNames(functionID); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// An upload that another process stores after this is not removed.
	found, err := a.bucket.list(ctx, 2, archivesFolder, functionID)
	if err != nil {
		return err
	}
	digests, err := needed()
	if err != nil {
		return err
	}
	return a.bucket.discard(ctx, functionID, slices.DeleteFunc(found, func(o object) bool {
		return slices.Contains(digests, o.parts[0]) || a.uncommitted[o.key]
	}))
}

// Delete implements blob.Archives. The commit of an upload that is in progress fails,
// since the function was deleted, and that removes the upload.
func (a *Archives) Delete(ctx context.Context, functionID string) error {
	return a.Prune(ctx, functionID, func() ([]string, error) { return nil, nil })
}

// Functions implements blob.Archives.
func (a *Archives) Functions(ctx context.Context) ([]string, error) {
	return a.bucket.folders(ctx, archivesFolder)
}
