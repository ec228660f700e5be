package journal_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/journal"
)

// limited lowers what this process may have of a resource until the function that it
// returns is called. It is for tests that run alone.
func limited(t *testing.T, resource int, most uint64) (lift func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(resource, &before); err != nil {
		t.Fatal(err)
	}
	lift = func() {
		if err := syscall.Setrlimit(resource, &before); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lift)
	return lift
}

// A journal that cannot open another file keeps all that it has, and rotates when it
// can again.
func TestNoFileToBegin(t *testing.T) {
	j, path := open(t, journal.Bounds{Size: lineLength, Kept: 3})
	write(t, j, 0, 4)
	lift := limited(t, syscall.RLIMIT_NOFILE, 0)
	for n := 4; n < 14; n++ {
		if err := j.Append(line(n), true); err == nil {
			t.Errorf("nothing is said of line %d, for which no file can be begun", n)
		}
	}
	lift()
	if got := lines(t, path, 3); !slices.Equal(got, texts(0, 14)) {
		t.Fatalf("the journal has %v, want all lines", got)
	}
	write(t, j, 14, 15)
	if got := lines(t, path, 3); !slices.Equal(got, texts(1, 15)) {
		t.Errorf("afterwards the journal has %v, want all but what was in the oldest file", got)
	}
}

// A part of a line, for which there was room, takes no other line with it.
func TestNoRoomForALine(t *testing.T) {
	j, path := open(t, journal.Bounds{Size: 1 << 20, Kept: 3})
	write(t, j, 0, 2)
	for _, room := range []int64{2*lineLength + 3, 2*lineLength + 3, 2*lineLength + 6} {
		lift := limited(t, syscall.RLIMIT_FSIZE, uint64(room))
		if err := j.Append(line(2), false); err == nil {
			t.Error("nothing is said of a line for which there is no room")
		}
		lift()
	}
	write(t, j, 3, 5)
	want := strings.Join(slices.Concat(texts(0, 2), []string{"lin", "li"}, texts(3, 5)), "\n") + "\n"
	if got, err := os.ReadFile(path); string(got) != want || err != nil {
		t.Errorf("the journal has %q, %v, want %q", got, err, want)
	}
}
