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

// TestEscape has each program try everything, and get nowhere.
func TestEscape(t *testing.T) {
	t.Parallel()
	s, jeton := newScene(t, sandbox.Full)
	for _, p := range escape.Programs() {
		t.Run(p.Language, func(t *testing.T) { wantClosed(t, s.try(t, p, p.Attempts)) })
	}
	if log := jeton.Log.String(); !strings.Contains(log, "out of memory: it took more than the limit of 256 MB") {
		t.Error("the log does not tell of the memory that was taken")
	}
}

func wantClosed(t *testing.T, outcomes []escape.Outcome) {
	t.Helper()
	for _, o := range outcomes {
		t.Logf("%-9s %s", o.Attempt, o.Met)
		if o.Open {
			t.Errorf("%s had success", o.Attempt)
		}
		if o.Honest != "" {
			t.Errorf("the call behind %s was answered with %s", o.Attempt, o.Honest)
		}
	}
}

// TestNothingStopsThem runs the same programs without walls: they must find
// everything open, or the tests of the walls would find nothing either. It does so
// where they harm nobody.
func TestNothingStopsThem(t *testing.T) {
	t.Parallel()
	wantRoot(t)
	if !isApart() {
		runApart(t)
		return
	}
	s, _ := newScene(t, sandbox.None)
	for _, p := range escape.Programs() {
		t.Run(p.Language, func(t *testing.T) {
			outcomes := s.try(t, p, p.Attempts)
			wantOpen(t, outcomes)
			uncover(t, outcomes)
		})
	}
}

// uncover takes away what was mounted on /tmp: the tests' own files may be there.
func uncover(t *testing.T, outcomes []escape.Outcome) {
	t.Helper()
	mounted := func(o escape.Outcome) bool { return o.Attempt == "mount" && o.Open }
	if !slices.ContainsFunc(outcomes, mounted) {
		return
	}
	if err := syscall.Unmount("/tmp", syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
}

func wantOpen(t *testing.T, outcomes []escape.Outcome) {
	t.Helper()
	for _, o := range outcomes {
		if !o.Open {
			t.Errorf("%s had no success: %s", o.Attempt, o.Met)
		}
	}
}
