package blob

import (
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

	"github.com/jeton-dev/jeton/internal/tree"
)

// ErrTooLarge is returned for an archive that is longer than it may be.
var ErrTooLarge = errors.New("archive is too large")

// unfinishedArchive matches the names of archives that are being received.
const unfinishedArchive = "upload-*"

// Archives keeps the uploaded archives of each function under their digest, in
// a folder of the function's own.
type Archives struct {
	dir  string
	root *os.Root
	// mu keeps an archive that was just added from being removed before it is
	// known that somebody needs it.
	mu sync.Mutex
}

// An Archive says what was kept.
type Archive struct {
	// Digest is the SHA-256 of the content, in hexadecimal: its name.
	Digest string
	// MD5 is in hexadecimal, for the ETag that S3's clients expect.
	MD5  string
	Size int64
}

// NewArchives returns the archives below dir, which it makes.
func NewArchives(dir string) (*Archives, error) {
	root, err := openRoot(dir)
	return &Archives{dir: dir, root: root}, err
}

// Add keeps what it reads from r as an archive of the function, and calls
// commit, which notes that it is there. When Add returns nil the archive
// survives a crash. Returns ErrTooLarge for more than limit bytes, and what
// commit returns.
func (a *Archives) Add(functionID string, r io.Reader, limit int64, commit func(Archive) error) (Archive, error) {
	if err := check(functionID); err != nil {
		return Archive{}, err
	}
	if err := a.root.MkdirAll(functionID, 0o700); err != nil {
		return Archive{}, err
	}
	received := path.Join(functionID, strings.ReplaceAll(unfinishedArchive, "*", rand.Text()))
	file, err := a.root.OpenFile(received, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Archive{}, err
	}
	defer func() { _ = a.root.Remove(received) }() // It has another name by then, or is in the way.
	defer file.Close()

	archive, err := receive(file, r, limit)
	if err != nil {
		return Archive{}, err
	}
	return archive, a.settle(functionID, received, archive, commit)
}

// settle gives a received archive its name, which it has only if commit does
// not fail.
func (a *Archives) settle(folder, received string, archive Archive, commit func(Archive) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	settled := path.Join(folder, archive.Digest)
	_, err := a.root.Stat(settled)
	isNew := errors.Is(err, os.ErrNotExist)
	if err := a.root.Rename(received, settled); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			// The folder has gone with its function, as commit will say.
			return errors.Join(commit(archive), err)
		}
		return err
	}
	if err := syncDir(a.root, folder); err != nil {
		return err
	}
	err = commit(archive)
	if err != nil && isNew {
		// The folder goes too where it held nothing else.
		_ = a.root.Remove(settled)
		_ = a.root.Remove(folder)
	}
	return err
}

// receive writes what it reads to the file and to the disk.
func receive(file *os.File, r io.Reader, limit int64) (Archive, error) {
	digest, sum := sha256.New(), md5.New()
	size, err := io.Copy(io.MultiWriter(file, digest, sum), io.LimitReader(r, limit+1))
	if err != nil {
		return Archive{}, fmt.Errorf("receive archive: %w", err)
	}
	if size > limit {
		return Archive{}, ErrTooLarge
	}
	archive := Archive{Digest: hex.EncodeToString(digest.Sum(nil)), MD5: hex.EncodeToString(sum.Sum(nil)), Size: size}
	return archive, file.Sync()
}

// Open opens an archive of a function for reading.
func (a *Archives) Open(functionID, digest string) (*os.File, error) {
	if err := check(functionID, digest); err != nil {
		return nil, err
	}
	return a.root.Open(path.Join(functionID, digest))
}

// Usage reports how many bytes the archives of some functions take. No archive is
// kept or given up while use runs: what it decides is of what is kept then.
func (a *Archives) Usage(functionIDs []string, use func(bytes int64) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var used int64
	for _, id := range functionIDs {
		size, err := a.size(id)
		if err != nil {
			return err
		}
		used += size
	}
	return use(used)
}

// size is how many bytes the archives of a function take.
func (a *Archives) size(functionID string) (int64, error) {
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

// Prune removes the archives of a function but for those that are needed,
// which it asks when no archive can be added meanwhile.
func (a *Archives) Prune(functionID string, needed func() ([]string, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	names, err := needed()
	if err != nil {
		return err
	}
	return keepOnly(a.root, functionID, unfinishedArchive, names)
}

// Sweep removes the halves of archives that a process which was killed has
// left. No archive may be being added.
func (a *Archives) Sweep() error { return removeMatching(filepath.Join(a.dir, "*", unfinishedArchive)) }

func removeMatching(pattern string) error {
	found, err := filepath.Glob(pattern)
	for _, path := range found {
		err = errors.Join(err, tree.Remove(path))
	}
	return err
}
