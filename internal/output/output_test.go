package output_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/test/await"
)

var start = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func line(function string, n int) output.Entry {
	return output.Entry{
		At: start.Add(time.Duration(n) * time.Second), Function: function, Revision: "r", Instance: "i",
		RequestID: fmt.Sprint("q", n), Stream: output.Stdout, Text: fmt.Sprint("line ", n),
	}
}

func open(t *testing.T, dir string, limit int64) *output.Logs {
	t.Helper()
	l, err := output.Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func appendLines(t *testing.T, l *output.Logs, function string, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := l.Append(line(function, n)); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, dir, function string, since time.Time) []output.Entry {
	t.Helper()
	var found []output.Entry
	err := output.Read(dir, function, since, func(e output.Entry, _ []byte) error {
		found = append(found, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRead_ReturnsLinesOfEachFunction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, 1<<20)
	// More functions than can be open at once, in turns.
	const functions, lines = 100, 3
	for n := range lines {
		for f := range functions {
			appendLines(t, l, fmt.Sprint("f", f), n, n+1)
		}
	}
	for f := range functions {
		function := fmt.Sprint("f", f)
		want := []output.Entry{line(function, 0), line(function, 1), line(function, 2)}
		if got := read(t, dir, function, time.Time{}); !slices.Equal(got, want) {
			t.Fatalf("Read(%s): got %+v, want %+v", function, got, want)
		}
	}
	if got := read(t, dir, "f1", start.Add(2*time.Second)); len(got) != 1 || got[0].Text != "line 2" {
		t.Errorf("Read since the third line: got %+v, want line 2", got)
	}
	if got := read(t, dir, "none", time.Time{}); got != nil {
		t.Errorf("Read of a function without logs: got %+v, want nothing", got)
	}
}

func TestAppend_KeepsLogWithinLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const limit = 8000
	appendLines(t, open(t, dir, limit), "f", 0, 300)
	files, err := filepath.Glob(filepath.Join(dir, "f", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	got := read(t, dir, "f", time.Time{})
	if size > limit || size < limit/2 || len(got) == 0 || got[len(got)-1] != line("f", 299) {
		t.Errorf("got %d bytes and %d lines, want at most %d bytes with the last line", size, len(got), limit)
	}
}

func TestRemove_DeletesLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, 1<<20)
	appendLines(t, l, "f", 0, 1)
	if err := l.WriteBuild(output.Function{ID: "f"}, "log"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Remove("f"); err != nil {
			t.Fatal(err)
		}
	}
	if remaining, err := os.ReadDir(dir); err != nil || len(remaining) > 0 {
		t.Errorf("after Remove: got %v, %v, want an empty directory", remaining, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(line("f", 1)); err == nil {
		t.Error("Append after Close: got nil, want an error")
	}
}

func TestFind_ByNameAndID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, 1<<20)
	one := output.Function{ID: "id1", Name: "hello", Namespace: "a"}
	two := output.Function{ID: "id2", Name: "hello", Namespace: "b"}
	for _, f := range []output.Function{two, one} {
		for _, text := range []string{"first", "second"} {
			if err := l.WriteBuild(f, text+f.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	appendLines(t, l, "never-built", 0, 1)
	tests := map[string][]output.Function{
		"hello": {one, two}, "id1": {one}, "fr-par/id2": {two}, "nobody": nil, "": nil, "never-built": nil,
	}
	for nameOrID, want := range tests {
		if got, err := output.Find(dir, nameOrID); err != nil || !slices.Equal(got, want) {
			t.Errorf("Find(%q): got %+v, %v, want %+v", nameOrID, got, err, want)
		}
	}
	if text, ok, err := output.BuildLog(dir, "id1"); text != "secondid1" || !ok || err != nil {
		t.Errorf("BuildLog(id1): got %q, %t, %v, want secondid1", text, ok, err)
	}
	for _, id := range []string{"nobody", "../" + filepath.Base(dir) + "/id1/.."} {
		if text, ok, err := output.BuildLog(dir, id); ok || err != nil {
			t.Errorf("BuildLog(%q): got %q, %t, %v, want none", id, text, ok, err)
		}
	}
	if found, err := output.Find(filepath.Join(dir, "none"), "hello"); found != nil || err != nil {
		t.Errorf("Find in a missing directory: got %+v, %v, want none", found, err)
	}
}

func TestFollow_ReportsNewLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, 4000)
	seen, stop := make(chan string), errors.New("stop")
	ended := make(chan error, 1)
	go func() {
		ended <- output.Follow(t.Context(), dir, "f", time.Time{}, func(e output.Entry, text []byte) error {
			if !strings.Contains(string(text), e.Text) {
				return errors.New("the JSON belongs to another line")
			}
			seen <- e.Text
			if e.Text == "line 9" {
				return stop
			}
			return nil
		})
	}()
	// The file does not exist before the first line.
	for n := range 10 {
		appendLines(t, l, "f", n, n+1)
		if got := await.Receive(t, fmt.Sprint("line ", n), seen); got != fmt.Sprint("line ", n) {
			t.Fatalf("got %q, want line %d", got, n)
		}
	}
	if err := <-ended; !errors.Is(err, stop) {
		t.Errorf("Follow: got %v, want the error of report", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := output.Follow(ctx, dir, "none", time.Time{}, nil); err != nil {
		t.Errorf("Follow after cancel: got %v, want nil", err)
	}
}

func TestLogs_LoseNoLinesUnderConcurrency(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, 1<<20)
	const writers, functions, each = 8, 100, 300
	var group errgroup.Group
	for writer := range writers {
		group.Go(func() error {
			for n := range each {
				if err := l.Append(line(fmt.Sprint("f", (n*7+writer)%functions), n)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		for n := range each {
			if err := errors.Join(l.WriteBuild(output.Function{ID: "gone"}, "log"), l.Append(line("gone", n)), l.Remove("gone")); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed directory: got %v, want fs.ErrNotExist", err)
	}
	lines := 0
	for f := range functions {
		lines += len(read(t, dir, fmt.Sprint("f", f), time.Time{}))
	}
	if lines != writers*each {
		t.Errorf("got %d lines, want %d", lines, writers*each)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkAppend_ManyFunctions appends to more functions than can be open at once.
func BenchmarkAppend_ManyFunctions(b *testing.B) {
	l, err := output.Open(b.TempDir(), 64<<20)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		if err := l.Append(line(fmt.Sprint("f", n%100), n)); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}
