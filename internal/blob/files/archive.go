package files

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/tree"
)

// unfinishedArchive matches the names of archives that are being received.
const unfinishedArchive = "upload-*"

// Archives implements blob.Archives with one folder per function and one file per
// archive.
type Archives struct {
	dir  string
	root *os.Root
	// mu makes the steps "rename and commit" and "read what is needed and remove
	// the rest" exclude each other.
	mu sync.Mutex
}

var _ blob.Archives = (*Archives)(nil)

// OpenArchives opens the archives below dir. It creates dir, and removes what a
// process that was killed left unfinished.
func OpenArchives(dir string) (*Archives, error) {
	root, err := openRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open archives: %w", err)
	}
	if err := removeMatching(filepath.Join(dir, "*", unfinishedArchive)); err != nil {
		return nil, errors.Join(fmt.Errorf("remove unfinished archives: %w", err), root.Close())
	}
	return &Archives{dir: dir, root: root}, nil
}

// Put implements blob.Archives.
func (a *Archives) Put(ctx context.Context, functionID string, r io.Reader, limit int64, commit func(blob.Archive) error) (blob.Archive, error) {
	if err := check(functionID); err != nil {
		return blob.Archive{}, err
	}
	if err := a.root.MkdirAll(functionID, 0o700); err != nil {
		return blob.Archive{}, err
	}
	// renameio needs the final name before the content, but here the content is
	// the name.
	received := path.Join(functionID, strings.ReplaceAll(unfinishedArchive, "*", rand.Text()))
	file, err := a.root.OpenFile(received, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return blob.Archive{}, err
	}
	defer func() { _ = a.root.Remove(received) }() // After a rename the name no longer exists.
	defer file.Close()

	archive, err := receive(file, r, limit)
	if err != nil {
		return blob.Archive{}, err
	}
	if err := ctx.Err(); err != nil {
		return blob.Archive{}, err
	}
	return archive, a.settle(functionID, received, archive, commit)
}

// settle renames a received archive to its digest, and undoes that if commit fails.
func (a *Archives) settle(folder, received string, archive blob.Archive, commit func(blob.Archive) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	settled := path.Join(folder, archive.Digest)
	_, err := a.root.Stat(settled)
	isNew := errors.Is(err, os.ErrNotExist)
	if err := a.root.Rename(received, settled); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			// The function was deleted together with its folder: commit returns
			// that as an error that the client understands.
			return errors.Join(commit(archive), err)
		}
		return err
	}
	if err := syncDir(a.root, folder); err != nil {
		return err
	}
	err = commit(archive)
	if err != nil && isNew {
		_ = a.root.Remove(settled)
		_ = a.root.Remove(folder) // This fails if the folder holds other archives.
	}
	return err
}

// receive copies r to the file and syncs it.
func receive(file *os.File, r io.Reader, limit int64) (blob.Archive, error) {
	digest, sum := sha256.New(), md5.New()
	size, err := io.Copy(io.MultiWriter(file, digest, sum), io.LimitReader(r, limit+1))
	if err != nil {
		return blob.Archive{}, fmt.Errorf("receive archive: %w", err)
	}
	if size > limit {
		return blob.Archive{}, blob.ErrTooLarge
	}
	archive := blob.Archive{Digest: hex.EncodeToString(digest.Sum(nil)), MD5: hex.EncodeToString(sum.Sum(nil)), Size: size}
	return archive, file.Sync()
}

// Open implements blob.Archives.
func (a *Archives) Open(_ context.Context, functionID, digest string) (blob.Content, error) {
	if err := check(functionID, digest); err != nil {
		return nil, err
	}
	file, err := a.root.Open(path.Join(functionID, digest))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", notFound(err))
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open archive: %w", err), file.Close())
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("open archive %s: not a regular file", digest), file.Close())
	}
	return content{file, info.Size()}, nil
}

// content implements blob.Content.
type content struct {
	*os.File

	size int64
}

// Size implements blob.Content.
func (c content) Size() int64 { return c.size }

// Size implements blob.Archives.
func (a *Archives) Size(_ context.Context, functionID, digest string) (int64, error) {
	if err := check(functionID, digest); err != nil {
		return 0, err
	}
	info, err := a.root.Stat(path.Join(functionID, digest))
	if err != nil {
		return 0, fmt.Errorf("find archive: %w", notFound(err))
	}
	return info.Size(), nil
}

// Usage implements blob.Archives.
func (a *Archives) Usage(_ context.Context, functionIDs []string, use func(bytes int64) error) error {
	if err := check(functionIDs...); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var used int64
	for _, id := range functionIDs {
		size, err := a.usage(id)
		if err != nil {
			return fmt.Errorf("measure archives of function %s: %w", id, err)
		}
		used += size
	}
	return use(used)
}

// usage returns the total size of a function's archives in bytes.
func (a *Archives) usage(functionID string) (int64, error) {
	entries, err := os.ReadDir(filepath.Join(a.dir, functionID))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	var size int64
	for _, entry := range entries {
		if unfinished, _ := filepath.Match(unfinishedArchive, entry.Name()); unfinished {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, nil
}

// Prune implements blob.Archives.
func (a *Archives) Prune(_ context.Context, functionID string, needed func() ([]string, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	digests, err := needed()
	if err != nil {
		return err
	}
	return keepOnly(a.root, functionID, unfinishedArchive, digests)
}

// Delete implements blob.Archives.
func (a *Archives) Delete(_ context.Context, functionID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return keepOnly(a.root, functionID, "", nil)
}

// Functions implements blob.Archives.
func (a *Archives) Functions(context.Context) ([]string, error) { return folders(a.root, "") }

// removeMatching removes all files and folders whose path matches the pattern.
func removeMatching(pattern string) error {
	found, err := filepath.Glob(pattern)
	for _, path := range found {
		err = errors.Join(err, tree.Remove(path))
	}
	return err
}
