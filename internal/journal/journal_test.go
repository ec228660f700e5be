package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/journal"
)

// lineLength is the length of each line of the tests, including its line break.
const lineLength = int64(len("line 000\n"))

func line(n int) []byte { return fmt.Appendf(nil, "line %03d", n) }

func texts(from, to int) []string {
	var all []string
	for n := from; n < to; n++ {
		all = append(all, string(line(n)))
	}
	return all
}

func open(t *testing.T, bounds journal.Bounds) (j *journal.Journal, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal")
	j, err := journal.Open(path, bounds)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j, path
}

func write(t *testing.T, j *journal.Journal, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := j.Append(line(n), false); err != nil {
			t.Fatal(err)
		}
	}
}

func lines(t *testing.T, path string, kept int) []string {
	t.Helper()
	var found []string
	err := journal.Read(path, kept, func(line []byte) error {
		found = append(found, string(line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAppend_RemovesNoFileAfterInterruptedRotation(t *testing.T) {
	t.Parallel()
	for missing, want := range map[string][]string{
		".1": {"line 000", "line 001", "line 003", "line 004"},
		".2": {"line 000", "line 002", "line 003", "line 004"},
		".3": texts(1, 5),
	} {
		t.Run("without "+missing, func(t *testing.T) {
			t.Parallel()
			j, path := open(t, journal.Bounds{Size: lineLength, Kept: 3})
			write(t, j, 0, 4)
			if err := os.Remove(path + missing); err != nil {
				t.Fatal(err)
			}
			write(t, j, 4, 5)
			if got := lines(t, path, 3); !slices.Equal(got, want) {
				t.Errorf("the journal contains %v, want %v", got, want)
			}
		})
	}
}

func TestAppend_StartsOverWithoutOlderFiles(t *testing.T) {
	t.Parallel()
	j, path := open(t, journal.Bounds{Size: 2 * lineLength, Kept: 0})
	write(t, j, 0, 5)
	if got := lines(t, path, 0); !slices.Equal(got, texts(4, 5)) {
		t.Errorf("the journal contains %v, want the last line only", got)
	}
	if files, err := filepath.Glob(path + "*"); err != nil || len(files) != 1 {
		t.Errorf("found the files %v, %v, want one", files, err)
	}
}
