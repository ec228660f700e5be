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

// Dir is the name of the logs' folder in the data folder. Each function has one in
// it, called by its ID.
const Dir = "logs"

// The files of a function.
const (
	linesFile   = "output.log"
	buildFile   = "build.log"
	subjectFile = "function.json"
)

const (
	// kept is how many full files of a function stay beside the one that is
	// written.
	kept = 3
	// mostOpen is how many functions' files are open at once, unless more are
	// written to at that very moment.
	mostOpen = 64
)

// Logs writes the logs of all functions. None of them waits for another one's disk.
type Logs struct {
	dir  string
	root *os.Root
	// size is that of one file.
	size   int64
	closed atomic.Bool

	// mu is never held while anybody waits for the disk.
	mu sync.Mutex
	// known has functions by their ID, and used their order, the one that was used
	// last in front.
	known map[string]*list.Element
	used  *list.List
}

// files are those of one function.
type files struct {
	functionID string
	// users is how many use it now, or wait to. It is guarded by Logs.mu.
	users int

	// mu is held while the files are written.
	mu sync.Mutex
	// journal is nil while it is not open.
	journal *journal.Journal
}

var errClosed = errors.New("logs are closed")

// Open returns the logs below dir, which it makes. A function's lines take at most
// limit bytes, of which the oldest go first.
func Open(dir string, limit int64) (*Logs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	return &Logs{dir: dir, root: root, size: limit / (kept + 1), known: map[string]*list.Element{}, used: list.New()}, err
}

// Append keeps a line.
func (l *Logs) Append(e Entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		err = l.with(e.Function, func(f *files) error { return l.append(f, line) })
	}
	if err != nil {
		return fmt.Errorf("log of function %s: %w", e.Function, err)
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

// with does something with the files of a function that nobody else does at the
// same time.
func (l *Logs) with(functionID string, do func(*files) error) error {
	if functionID == "" || functionID == "." || functionID != filepath.Base(functionID) || !filepath.IsLocal(functionID) {
		return fmt.Errorf("%q is not the ID of a function", functionID)
	}
	f := l.take(functionID)
	f.mu.Lock()
	err := do(f)
	f.mu.Unlock()
	return errors.Join(err, l.release(f))
}

// take returns the files of a function, which stay known until they are released.
func (l *Logs) take(functionID string) *files {
	l.mu.Lock()
	defer l.mu.Unlock()
	element, ok := l.known[functionID]
	if !ok {
		element = l.used.PushFront(&files{functionID: functionID})
		l.known[functionID] = element
	}
	l.used.MoveToFront(element)
	f := filesOf(element)
	f.users++
	return f
}

// release closes those that were not used for longest, where too many are open.
func (l *Logs) release(f *files) error {
	l.mu.Lock()
	f.users--
	idle := l.surplus()
	l.mu.Unlock()
	if idle == nil {
		return nil
	}
	idle.mu.Lock() // Close may know it still
	defer idle.mu.Unlock()
	return idle.shut()
}

// surplus returns files that nobody uses and that are not known any more; nil if no
// more are known than may be open. It is called with the mutex held.
func (l *Logs) surplus() *files {
	if l.used.Len() <= mostOpen {
		return nil
	}
	for element := l.used.Back(); element != nil; element = element.Prev() {
		if f := filesOf(element); f.users == 0 {
			l.used.Remove(element)
			delete(l.known, f.functionID)
			return f
		}
	}
	return nil
}

func filesOf(element *list.Element) *files {
	f, _ := element.Value.(*files)
	return f
}

// shut closes the journal, which the next line opens again. It is called with the
// mutex of the files held.
func (f *files) shut() error {
	if f.journal == nil {
		return nil
	}
	err := f.journal.Close()
	f.journal = nil
	return err
}

// WriteBuild keeps the log of a function's latest build, and whose it is.
func (l *Logs) WriteBuild(f Function, text string) error {
	subject, err := json.Marshal(f)
	if err == nil {
		err = l.with(f.ID, func(*files) error { return writeBuild(l.folder(f.ID), []byte(text), subject) })
	}
	if err != nil {
		return fmt.Errorf("build log of function %s: %w", f.ID, err)
	}
	return nil
}

func writeBuild(folder string, text, subject []byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := replace(filepath.Join(folder, buildFile), text); err != nil {
		return err
	}
	return replace(filepath.Join(folder, subjectFile), subject)
}

// replace has no reader see half of it.
func replace(path string, content []byte) error {
	return renameio.WriteFile(path, content, 0o600, renameio.WithTempDir(filepath.Dir(path)))
}

// Remove removes the logs of a function.
func (l *Logs) Remove(functionID string) error {
	return l.with(functionID, func(f *files) error {
		return errors.Join(f.shut(), l.root.RemoveAll(functionID))
	})
}

// Close closes all files. No line is kept any more.
func (l *Logs) Close() error {
	// Who comes later finds it closed, and whoever came before is among the known.
	l.closed.Store(true)
	l.mu.Lock()
	var all []*files
	for element := l.used.Front(); element != nil; element = element.Next() {
		all = append(all, filesOf(element))
	}
	l.mu.Unlock()
	var err error
	for _, f := range all {
		f.mu.Lock()
		err = errors.Join(err, f.shut())
		f.mu.Unlock()
	}
	return err
}
