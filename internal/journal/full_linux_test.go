package journal_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/journal"
)

// setLimit lowers a resource limit of this process until restore is called. The test
// must not run in parallel with others.
func setLimit(t *testing.T, resource int, most uint64) (restore func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(resource, &before); err != nil {
		t.Fatal(err)
	}
	restore = func() {
		if err := syscall.Setrlimit(resource, &before); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(restore)
	return restore
}

func TestAppend_KeepsLinesIfFileCannotBeRotated(t *testing.T) {
	j, path := open(t, journal.Bounds{Size: lineLength, Kept: 3})
	write(t, j, 0, 4)
	restore := setLimit(t, syscall.RLIMIT_NOFILE, 0)
	for n := 4; n < 14; n++ {
		if err := j.Append(line(n), true); err == nil {
			t.Errorf("Append(line %d) = nil, want an error because no file can be created", n)
		}
	}
	restore()
	if got := lines(t, path, 3); !slices.Equal(got, texts(0, 14)) {
		t.Fatalf("the journal contains %v, want all lines", got)
	}
	write(t, j, 14, 15)
	if got := lines(t, path, 3); !slices.Equal(got, texts(1, 15)) {
		t.Errorf("afterwards the journal contains %v, want all lines but those of the oldest file", got)
	}
}

func TestAppend_SeparatesLinesFromPartialOnes(t *testing.T) {
	j, path := open(t, journal.Bounds{Size: 1 << 20, Kept: 3})
	write(t, j, 0, 2)
	for _, room := range []int64{2*lineLength + 3, 2*lineLength + 3, 2*lineLength + 6} {
		restore := setLimit(t, syscall.RLIMIT_FSIZE, uint64(room))
		if err := j.Append(line(2), false); err == nil {
			t.Error("Append() = nil on a full disk")
		}
		restore()
	}
	write(t, j, 3, 5)
	want := strings.Join(slices.Concat(texts(0, 2), []string{"lin", "li"}, texts(3, 5)), "\n") + "\n"
	if got, err := os.ReadFile(path); string(got) != want || err != nil {
		t.Errorf("the journal contains %q, %v, want %q", got, err, want)
	}
}
