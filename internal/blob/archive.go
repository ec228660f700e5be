package blob

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// ErrTooLarge is returned for an archive that is longer than it may be.
var ErrTooLarge = errors.New("archive is too large")

// unfinishedArchive matches the names of archives that are being received.
const unfinishedArchive = "upload-*"

// Archives keeps the uploaded archives of each function under their digest, in
// a folder of the function's own.
type Archives struct {
	dir string
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
	return &Archives{dir: dir}, os.MkdirAll(dir, 0o700)
}

// Add keeps what it reads from r as an archive of the function, and calls
// commit, which notes that it is there. When Add returns nil the archive
// survives a crash. Returns ErrTooLarge for more than limit bytes, and what
// commit returns.
func (a *Archives) Add(functionID string, r io.Reader, limit int64, commit func(Archive) error) (Archive, error) {
	folder := filepath.Join(a.dir, functionID)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Archive{}, err
	}
	file, err := os.CreateTemp(folder, unfinishedArchive)
	if err != nil {
		return Archive{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()

	archive, err := receive(file, r, limit)
	if err != nil {
		return Archive{}, err
	}
	return archive, a.settle(folder, file.Name(), archive, commit)
}

// settle gives a received archive its name, which it has only if commit does
// not fail.
func (a *Archives) settle(folder, received string, archive Archive, commit func(Archive) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	path := filepath.Join(folder, archive.Digest)
	_, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	if err := os.Rename(received, path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			// The folder has gone with its function, as commit will say.
			return errors.Join(commit(archive), err)
		}
		return err
	}
	if err := syncDir(folder); err != nil {
		return err
	}
	err = commit(archive)
	if err != nil && isNew {
		// The folder goes too where it held nothing else.
		_ = os.Remove(path)
		_ = os.Remove(folder)
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
	return os.Open(filepath.Join(a.dir, functionID, digest))
}

// Usage returns how many bytes the archives of some functions take. Archives that are
// being received do not count.
func (a *Archives) Usage(functionIDs []string) (int64, error) {
	var used int64
	for _, id := range functionIDs {
		entries, err := os.ReadDir(filepath.Join(a.dir, id))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
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
			used += info.Size()
		}
	}
	return used, nil
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
	return keepOnly(filepath.Join(a.dir, functionID), unfinishedArchive, names)
}

// Sweep removes the halves of archives that a process which was killed has
// left. No archive may be being added.
func (a *Archives) Sweep() error { return removeMatching(filepath.Join(a.dir, "*", unfinishedArchive)) }

// keepOnly removes the entries of a folder but for those named and those that
// match the pattern, and the folder itself where none is named.
func keepOnly(folder, pattern string, names []string) error {
	if len(names) == 0 {
		return os.RemoveAll(folder)
	}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		unfinished, _ := filepath.Match(pattern, entry.Name())
		if !unfinished && !slices.Contains(names, entry.Name()) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}

// syncDir makes a rename within the folder survive a crash.
func syncDir(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func removeMatching(pattern string) error {
	found, err := filepath.Glob(pattern)
	for _, path := range found {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}
