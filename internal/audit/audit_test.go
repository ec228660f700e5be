package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/test/await"
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

func entry(n int) audit.Entry {
	return audit.Entry{
		At: start.Add(time.Duration(n) * time.Second), AccessKey: "SCWKEY", From: "192.0.2.1",
		Endpoint: "POST /x", Object: strconv.Itoa(n), Status: 200,
	}
}

func open(t *testing.T, path string, maxSize int64) *audit.Log {
	t.Helper()
	l, err := audit.OpenBounded(path, maxSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func appendEntries(t *testing.T, l *audit.Log, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := l.Append(entry(n), n%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
}

func objects(t *testing.T, path string, since time.Time) []string {
	t.Helper()
	var found []string
	err := audit.Read(path, since, func(e audit.Entry, _ []byte) error {
		found = append(found, e.Object)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func numbers(from, to int) []string {
	var all []string
	for n := from; n < to; n++ {
		all = append(all, strconv.Itoa(n))
	}
	return all
}

func TestAppend_KeepsLogWithinBounds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	const maxSize = 1000
	l := open(t, path, maxSize)
	const entries = 200
	appendEntries(t, l, 0, entries)
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != audit.Kept+1 {
		t.Errorf("%d files, %v, want %d", len(files), err, audit.Kept+1)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.Size() > maxSize || info.Size() < maxSize/2 && file != path || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %d bytes, mode %v, %v", file, info.Size(), info.Mode(), err)
		}
	}
	got := objects(t, path, time.Time{})
	if len(got) < 50 || !slices.Equal(got, numbers(entries-len(got), entries)) {
		t.Errorf("the log contains the entries %v, want the last ones without gaps", got)
	}
	if got := objects(t, path, start.Add((entries-3)*time.Second)); !slices.Equal(got, numbers(entries-3, entries)) {
		t.Errorf("got the entries %v since the third last", got)
	}
}

func TestAppend_LosesNoEntryOfConcurrentWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path, 1<<14)
	const writers, each = 8, 50
	var group errgroup.Group
	for writer := range writers {
		group.Go(func() error {
			for n := range each {
				if err := l.Append(entry(writer*each+n), true); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	got := objects(t, path, time.Time{})
	want := numbers(0, writers*each)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the log contains %d entries, want each of %d once", len(got), len(want))
	}
}

func TestRead_SkipsPartialLineAfterCrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path, 1<<20)
	appendEntries(t, l, 0, 2)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"at":"2026-07-0`); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	appendEntries(t, open(t, path, 1<<20), 2, 4)
	if got := objects(t, path, time.Time{}); !slices.Equal(got, numbers(0, 4)) {
		t.Errorf("the log contains the entries %v, want all four", got)
	}
}

func TestAppend_KeepsEntriesIfLogCannotRotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path, 1)
	appendEntries(t, l, 0, audit.Kept)
	// A folder with the name of the oldest file prevents the rotation.
	if err := os.Mkdir(path+".10", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(entry(audit.Kept), true); err == nil {
		t.Error("Append() = nil, want the error of the rotation")
	}
	if err := os.Remove(path + ".10"); err != nil {
		t.Fatal(err)
	}
	if got := objects(t, path, time.Time{}); !slices.Equal(got, numbers(0, audit.Kept+1)) {
		t.Errorf("the log contains the entries %v, want all", got)
	}
}

func TestFollow_CallsWithExistingAndNewEntries(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.log")
	l := open(t, path, 1000)
	const batch, entries = 3, 30
	appendEntries(t, l, 0, batch)
	seen, ended, stop := make(chan string), make(chan error, 1), errors.New("stop")
	go func() {
		ended <- audit.Follow(t.Context(), path, start.Add(time.Second), func(e audit.Entry, _ []byte) error {
			seen <- e.Object
			if e.Object == strconv.Itoa(entries) {
				return stop
			}
			return nil
		})
	}()
	for n := 1; n <= entries; n++ {
		// A batch is smaller than a file.
		if n%batch == 0 {
			appendEntries(t, l, n, n+batch)
		}
		if got := await.Receive(t, fmt.Sprint("entry ", n), seen); got != strconv.Itoa(n) {
			t.Fatalf("got entry %s, want %d", got, n)
		}
	}
	if err := <-ended; !errors.Is(err, stop) {
		t.Errorf("Follow() = %v, want the error of the callback", err)
	}
}

func TestRead_TreatsMissingLogAsEmpty(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none")
	if got := objects(t, path, time.Time{}); got != nil {
		t.Errorf("got the entries %v, want none", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := audit.Follow(ended, path, time.Time{}, nil); err != nil {
		t.Errorf("Follow() = %v", err)
	}
}

func TestNewAuditor_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	to, log := new(audit.Log), slog.New(slog.DiscardHandler)
	for name, config := range map[string]audit.AuditorConfig{
		"To":  {Now: time.Now, Log: log},
		"Now": {To: to, Log: log},
		"Log": {To: to, Now: time.Now},
	} {
		if a, err := audit.NewAuditor(config); a != nil || err == nil {
			t.Errorf("without %s: got %v, %v, want an error", name, a, err)
		}
	}
}
