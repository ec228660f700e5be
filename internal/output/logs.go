package output

import (
	"container/list"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

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
	// mostOpen is how many functions' files are open at once.
	mostOpen = 64
)

// Logs writes the logs of all functions.
type Logs struct {
	dir string
	// size is that of one file.
	size int64

	mu     sync.Mutex
	closed bool
	// open has the journals by their function's ID, and used their order, the one
	// that was used last in front.
	open map[string]*list.Element
	used *list.List
}

// A held journal is open.
type held struct {
	functionID string
	journal    *journal.Journal
}

var errClosed = errors.New("logs are closed")

// Open returns the logs below dir, which it makes. A function's lines take at most
// limit bytes, of which the oldest go first.
func Open(dir string, limit int64) (*Logs, error) {
	l := &Logs{dir: dir, size: limit / (kept + 1), open: map[string]*list.Element{}, used: list.New()}
	return l, os.MkdirAll(dir, 0o700)
}

// Append keeps a line.
func (l *Logs) Append(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("log of function %s: %w", e.Function, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	j, err := l.journal(e.Function)
	if err == nil {
		err = j.Append(line, false)
	}
	if err != nil {
		return fmt.Errorf("log of function %s: %w", e.Function, err)
	}
	return nil
}

// journal returns a function's, open. It is called with the mutex held.
func (l *Logs) journal(functionID string) (*journal.Journal, error) {
	if l.closed {
		return nil, errClosed
	}
	if element, ok := l.open[functionID]; ok {
		l.used.MoveToFront(element)
		return journalOf(element), nil
	}
	if l.used.Len() >= mostOpen {
		if err := l.shut(l.used.Back()); err != nil {
			return nil, err
		}
	}
	folder := filepath.Join(l.dir, functionID)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	j, err := journal.Open(filepath.Join(folder, linesFile), journal.Bounds{Size: l.size, Kept: kept})
	if err != nil {
		return nil, err
	}
	l.open[functionID] = l.used.PushFront(held{functionID, j})
	return j, nil
}

func journalOf(element *list.Element) *journal.Journal {
	h, _ := element.Value.(held)
	return h.journal
}

// shut closes a journal. It is called with the mutex held.
func (l *Logs) shut(element *list.Element) error {
	h, _ := l.used.Remove(element).(held)
	delete(l.open, h.functionID)
	return h.journal.Close()
}

// WriteBuild keeps the log of a function's latest build, and whose it is.
func (l *Logs) WriteBuild(f Function, text string) error {
	subject, err := json.Marshal(f)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	folder := filepath.Join(l.dir, f.ID)
	err = os.MkdirAll(folder, 0o700)
	for name, content := range map[string][]byte{buildFile: []byte(text), subjectFile: subject} {
		if err == nil {
			err = replace(filepath.Join(folder, name), content)
		}
	}
	if err != nil {
		return fmt.Errorf("build log of function %s: %w", f.ID, err)
	}
	return nil
}

// replace has no reader see half of it.
func replace(path string, content []byte) error {
	unfinished := path + ".new"
	if err := os.WriteFile(unfinished, content, 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// Remove removes the logs of a function.
func (l *Logs) Remove(functionID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if element, ok := l.open[functionID]; ok {
		err = l.shut(element)
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(l.dir, functionID)))
}

// Close closes all files. Nothing is kept any more.
func (l *Logs) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var err error
	for l.used.Len() > 0 {
		err = errors.Join(err, l.shut(l.used.Front()))
	}
	return err
}
