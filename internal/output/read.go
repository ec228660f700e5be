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

// maxFunctionFile is the maximum size of a function.json in bytes.
const maxFunctionFile = 64 << 10

// Find returns the functions with a name, or with an ID, in dir, sorted by namespace and ID. A
// region may precede the ID (fr-par/ID). Only functions with a build log are found.
func Find(dir, nameOrID string) ([]Function, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find logs: %w", err)
	}
	id := nameOrID[strings.LastIndexByte(nameOrID, '/')+1:]
	var found []Function
	for _, entry := range entries {
		f, err := readFunction(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // The function was never built, or is being removed.
		}
		if f.ID == id || f.Name == nameOrID {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b Function) int {
		return strings.Compare(a.Namespace+"/"+a.ID, b.Namespace+"/"+b.ID)
	})
	return found, nil
}

func readFunction(folder string) (f Function, err error) {
	info, err := os.Stat(filepath.Join(folder, functionFile))
	if err != nil || info.Size() > maxFunctionFile {
		return f, errors.Join(err, fs.ErrInvalid)
	}
	content, err := os.ReadFile(filepath.Join(folder, functionFile))
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(content, &f)
}

// Read calls report with each line of a function since a time, oldest first. The second
// argument is the line as JSON. Read stops at the first error of report and returns it. A
// function without logs has no lines.
func Read(dir, functionID string, since time.Time, report func(Entry, []byte) error) error {
	return journal.Read(linesPath(dir, functionID), kept, decodeLines(since, report))
}

// Follow calls report like Read, and then with each new line until ctx is done.
func Follow(ctx context.Context, dir, functionID string, since time.Time, report func(Entry, []byte) error) error {
	return journal.Follow(ctx, linesPath(dir, functionID), kept, decodeLines(since, report))
}

// BuildLog returns the log of a function's latest build, and whether there is one.
func BuildLog(dir, functionID string) (string, bool, error) {
	text, err := os.ReadFile(filepath.Join(dir, filepath.Base(functionID), buildFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(text), err == nil, err
}

func linesPath(dir, functionID string) string {
	return filepath.Join(dir, filepath.Base(functionID), linesFile)
}

// decodeLines returns a function that decodes a line and calls report with it, unless the line
// is older than since or incomplete, as after a crash.
func decodeLines(since time.Time, report func(Entry, []byte) error) func([]byte) error {
	return func(line []byte) error {
		var e Entry
		if complete := json.Unmarshal(line, &e) == nil; !complete || e.At.Before(since) {
			return nil
		}
		return report(e, line)
	}
}
