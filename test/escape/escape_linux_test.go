//go:build escape

package escape_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/escape"
)

func TestPrograms_CannotEscape(t *testing.T) {
	t.Parallel()
	f, jeton := newFixture(t, sandbox.Full)
	for _, p := range escape.Programs() {
		t.Run(p.Language, func(t *testing.T) { wantBlocked(t, f.try(t, p, p.Attempts)) })
	}
	const want = "out of memory: it took more than the limit of 256 MB"
	if log := jeton.Log.String(); !strings.Contains(log, want) {
		t.Errorf("got no log message %q", want)
	}
}

func wantBlocked(t *testing.T, outcomes []escape.Outcome) {
	t.Helper()
	for _, o := range outcomes {
		t.Logf("%-9s %s", o.Attempt, o.Answer)
		if failure := o.Failure(); failure != "" {
			t.Error(failure)
		}
	}
}

// TestPrograms_EscapeWithoutIsolation runs the same programs without isolation: all
// attempts must succeed, or the tests with isolation would be worthless. It runs in its
// own namespaces, since successful attempts change the machine.
func TestPrograms_EscapeWithoutIsolation(t *testing.T) {
	t.Parallel()
	wantRoot(t)
	if !inOwnNamespaces() {
		runInOwnNamespaces(t)
		return
	}
	f, _ := newFixture(t, sandbox.None)
	for _, p := range escape.Programs() {
		t.Run(p.Language, func(t *testing.T) {
			outcomes := f.try(t, p, p.Attempts)
			wantSuccess(t, outcomes)
			unmountTmp(t, outcomes)
		})
	}
}

// unmountTmp unmounts what the attempt "mount" has mounted on /tmp, which may hide the
// tests' own files.
func unmountTmp(t *testing.T, outcomes []escape.Outcome) {
	t.Helper()
	mounted := func(o escape.Outcome) bool { return o.Attempt == "mount" && o.Succeeded }
	if !slices.ContainsFunc(outcomes, mounted) {
		return
	}
	if err := syscall.Unmount("/tmp", syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
}

func wantSuccess(t *testing.T, outcomes []escape.Outcome) {
	t.Helper()
	for _, o := range outcomes {
		if !o.Succeeded {
			t.Errorf("%s: got %q, want success", o.Attempt, o.Answer)
		}
	}
}
