package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/engine"
)

const (
	// folderPrefix is the prefix of the names of engine folders.
	folderPrefix = "jeton-run-"
	// longestID is the length of the longest "/ID.sock", in bytes.
	longestID = 20
)

// A folder contains the sockets and working folders of an engine. It is locked while
// the engine exists: other engines remove folders that are not locked.
type folder struct {
	path string
	lock *os.File
}

// openFolder removes the folders of ended engines in base and creates a new one.
func openFolder(base string) (*folder, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return nil, fmt.Errorf("find folder for sockets: %w", err)
	}
	sweep(base)
	const attempts = 10
	for range attempts {
		path, err := os.MkdirTemp(base, folderPrefix)
		if err != nil {
			return nil, fmt.Errorf("create folder for sockets: %w", err)
		}
		if length := len(path) + longestID; length > engine.MaxSocketPath {
			err := fmt.Errorf("path %s is %d bytes too long for sockets: choose a shorter one", base, length-engine.MaxSocketPath)
			return nil, errors.Join(err, os.Remove(path))
		}
		if lock := tryLock(path); lock != nil {
			return &folder{path: path, lock: lock}, nil
		}
		// Another engine removed the folder before it was locked.
	}
	return nil, fmt.Errorf("create folder for sockets: other processes remove it from %s", base)
}

// sweep removes the folders in base that no engine has locked. Folders of other users,
// and folders that cannot be removed, stay.
func sweep(base string) {
	paths, err := filepath.Glob(filepath.Join(base, folderPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		if lock := tryLock(path); lock != nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}

// tryLock opens and locks the folder at a path. It returns nil if there is no folder,
// or if it belongs to another user or is locked.
func tryLock(path string) *os.File {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), path)
	var held, named unix.Stat_t
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil ||
		unix.Fstat(fd, &held) != nil || unix.Lstat(path, &named) != nil ||
		held.Ino != named.Ino || int(held.Uid) != os.Geteuid() {
		_ = f.Close()
		return nil
	}
	return f
}

func (f *folder) socket(id string) string { return filepath.Join(f.path, id+".sock") }

// bootstraps returns the folder of the bootstraps of workers.
func (f *folder) bootstraps() string { return filepath.Join(f.path, "bootstraps") }

func (f *folder) writeBootstraps(workers map[string]Worker) error {
	if err := os.Mkdir(f.bootstraps(), 0o755); err != nil {
		return fmt.Errorf("write bootstraps: %w", err)
	}
	for _, w := range workers {
		if err := os.WriteFile(filepath.Join(f.bootstraps(), w.Name), w.Bootstrap, 0o644); err != nil {
			return fmt.Errorf("write bootstraps: %w", err)
		}
	}
	return nil
}

func (f *folder) work(id string) string { return filepath.Join(f.path, id) }

// addInstance creates the working folder of an instance, with a folder tmp.
func (f *folder) addInstance(id string) (string, error) {
	work := f.work(id)
	if err := os.MkdirAll(filepath.Join(work, "tmp"), 0o700); err != nil {
		return "", fmt.Errorf("create working folder: %w", err)
	}
	return work, nil
}

func (f *folder) removeInstance(id string) error {
	err := os.Remove(f.socket(id))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(f.work(id)))
}

func (f *folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.lock.Close())
}

// openToOthers makes built code readable for the user of instances, who is unknown to
// this machine. If the folder itself is readable already, so is its content: builds
// and copies set the same permissions on all files.
func openToOthers(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o005 == 0o005 {
		return err
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		return openFile(path, entry)
	})
	if err != nil {
		return err
	}
	return os.Chmod(dir, info.Mode().Perm()|0o055)
}

func openFile(path string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	mode := info.Mode().Perm() | 0o044
	if entry.IsDir() || mode&0o100 != 0 {
		mode |= 0o011
	}
	return os.Chmod(path, mode)
}
