package output

import (
	"container/list"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/journal"
)

// Dir is the name of the directory of logs in the data directory. It contains one directory
// per function, named by the function's ID.
const Dir = "logs"

// The files in the directory of a function.
const (
	linesFile    = "output.log"
	buildFile    = "build.log"
	functionFile = "function.json"
)

const (
	// kept is the number of full files of a function, in addition to the current one.
	kept = 3
	// maxOpen is the maximum number of functions with open files. It is exceeded if more
	// are written to at the same time.
	maxOpen = 64
)

// Logs writes the logs of all functions. It is safe for concurrent use, and a slow write for
// one function does not delay others.
type Logs struct {
	dir  string
	root *os.Root
	// size is the maximum size of one file in bytes.
	size   int64
	closed atomic.Bool

	// mu is never held during a disk operation.
	mu sync.Mutex
	// byID is the index of recent, which is a list of *files with the most recently used
	// first.
	byID   map[string]*list.Element
	recent *list.List
}

// files are the log files of one function.
type files struct {
	functionID string
	// users is the number of goroutines that hold mu or wait for it. It is guarded by
	// Logs.mu.
	users int

	// mu is held during disk operations.
	mu sync.Mutex
	// journal is nil if it is not open.
	journal *journal.Journal
}

var errClosed = errors.New("logs are closed")

// Open returns the logs in dir and creates dir if it does not exist. The lines of a function
// use at most limit bytes; the oldest are removed first.
func Open(dir string, limit int64) (*Logs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	return &Logs{dir: dir, root: root, size: limit / (kept + 1), byID: map[string]*list.Element{}, recent: list.New()}, err
}

// Append writes a line. It does not sync the file.
func (l *Logs) Append(e Entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		err = l.with(e.Function, func(f *files) error { return l.append(f, line) })
	}
	if err != nil {
		return fmt.Errorf("write log of function %s: %w", e.Function, err)
	}
	return nil
}

func (l *Logs) append(f *files, line []byte) error {
	if l.closed.Load() {
		return errClosed
	}
	if f.journal == nil {
		folder := l.folder(f.functionID)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		j, err := journal.Open(filepath.Join(folder, linesFile), journal.Bounds{Size: l.size, Kept: kept, NoSync: true})
		if err != nil {
			return err
		}
		f.journal = j
	}
	return f.journal.Append(line, false)
}

func (l *Logs) folder(functionID string) string { return filepath.Join(l.dir, functionID) }

// with calls do with the files of a function locked.
func (l *Logs) with(functionID string, do func(*files) error) error {
	if functionID == "" || functionID == "." || functionID != filepath.Base(functionID) || !filepath.IsLocal(functionID) {
		return fmt.Errorf("%q is not a function ID", functionID)
	}
	f := l.acquire(functionID)
	f.mu.Lock()
	err := do(f)
	f.mu.Unlock()
	return errors.Join(err, l.release(f))
}

// acquire returns the files of a function. They stay in byID until release is called.
func (l *Logs) acquire(functionID string) *files {
	l.mu.Lock()
	defer l.mu.Unlock()
	element, ok := l.byID[functionID]
	if !ok {
		element = l.recent.PushFront(&files{functionID: functionID})
		l.byID[functionID] = element
	}
	l.recent.MoveToFront(element)
	f := filesOf(element)
	f.users++
	return f
}

// release ends the use of files. If too many files are open, it closes the least recently
// used ones of another function.
func (l *Logs) release(f *files) error {
	l.mu.Lock()
	f.users--
	evicted := l.evict()
	l.mu.Unlock()
	if evicted == nil {
		return nil
	}
	evicted.mu.Lock() // Close may use it at the same time.
	defer evicted.mu.Unlock()
	return evicted.close()
}

// evict removes the least recently used files without users from byID and returns them; nil
// if there are at most maxOpen. The caller holds l.mu.
func (l *Logs) evict() *files {
	if l.recent.Len() <= maxOpen {
		return nil
	}
	for element := l.recent.Back(); element != nil; element = element.Prev() {
		if f := filesOf(element); f.users == 0 {
			l.recent.Remove(element)
			delete(l.byID, f.functionID)
			return f
		}
	}
	return nil
}

func filesOf(element *list.Element) *files {
	f, _ := element.Value.(*files)
	return f
}

// close closes the journal. The next Append opens it again. The caller holds f.mu.
func (f *files) close() error {
	if f.journal == nil {
		return nil
	}
	err := f.journal.Close()
	f.journal = nil
	return err
}

// WriteBuild replaces the build log of a function, and stores the function's name for Find.
func (l *Logs) WriteBuild(f Function, text string) error {
	function, err := json.Marshal(f)
	if err == nil {
		err = l.with(f.ID, func(*files) error { return writeBuild(l.folder(f.ID), []byte(text), function) })
	}
	if err != nil {
		return fmt.Errorf("write build log of function %s: %w", f.ID, err)
	}
	return nil
}

func writeBuild(folder string, text, function []byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := replace(filepath.Join(folder, buildFile), text); err != nil {
		return err
	}
	return replace(filepath.Join(folder, functionFile), function)
}

// replace replaces a file atomically.
func replace(path string, content []byte) error {
	return renameio.WriteFile(path, content, 0o600, renameio.WithTempDir(filepath.Dir(path)))
}

// Remove removes the logs of a function.
func (l *Logs) Remove(functionID string) error {
	return l.with(functionID, func(f *files) error {
		return errors.Join(f.close(), l.root.RemoveAll(functionID))
	})
}

// Close closes all files. Append returns an error afterwards.
func (l *Logs) Close() error {
	// An Append that has not seen the flag has its files in recent already.
	l.closed.Store(true)
	l.mu.Lock()
	var all []*files
	for element := l.recent.Front(); element != nil; element = element.Next() {
		all = append(all, filesOf(element))
	}
	l.mu.Unlock()
	var err error
	for _, f := range all {
		f.mu.Lock()
		err = errors.Join(err, f.close())
		f.mu.Unlock()
	}
	return err
}
