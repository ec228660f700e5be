package output

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/journal"
)

// maxSubject bounds the file that says whose logs they are, in bytes.
const maxSubject = 64 << 10

// Find returns the functions that are meant by a name, or by an ID, with or without
// a region before it, among those with logs below dir.
func Find(dir, meant string) ([]Function, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for logs: %w", err)
	}
	id := meant[strings.LastIndexByte(meant, '/')+1:]
	var found []Function
	for _, entry := range entries {
		f, err := subjectOf(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // one that was never built, or is going
		}
		if f.ID == id || f.Name == meant {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b Function) int {
		return strings.Compare(a.Namespace+"/"+a.ID, b.Namespace+"/"+b.ID)
	})
	return found, nil
}

func subjectOf(folder string) (f Function, err error) {
	info, err := os.Stat(filepath.Join(folder, subjectFile))
	if err != nil || info.Size() > maxSubject {
		return f, errors.Join(err, fs.ErrInvalid)
	}
	content, err := os.ReadFile(filepath.Join(folder, subjectFile))
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(content, &f)
}

// Read reports the lines of a function since an instant, oldest first, and as JSON.
// A function without logs has no lines.
func Read(dir, functionID string, since time.Time, report func(Entry, []byte) error) error {
	return journal.Read(linesOf(dir, functionID), kept, entries(since, report))
}

// Follow does as Read does, and goes on with what is printed until ctx ends.
func Follow(ctx context.Context, dir, functionID string, since time.Time, report func(Entry, []byte) error) error {
	return journal.Follow(ctx, linesOf(dir, functionID), kept, entries(since, report))
}

// BuildLog returns the log of a function's latest build; false if there is none.
func BuildLog(dir, functionID string) (string, bool, error) {
	text, err := os.ReadFile(filepath.Join(dir, filepath.Base(functionID), buildFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(text), err == nil, err
}

func linesOf(dir, functionID string) string {
	return filepath.Join(dir, filepath.Base(functionID), linesFile)
}

func entries(since time.Time, report func(Entry, []byte) error) func([]byte) error {
	return func(line []byte) error {
		var e Entry
		// Half a line, which a crash has left, is passed over.
		if whole := json.Unmarshal(line, &e) == nil; !whole || e.At.Before(since) {
			return nil
		}
		return report(e, line)
	}
}
