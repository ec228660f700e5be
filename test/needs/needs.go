// Package needs declares what a test requires of the machine. A test whose
// requirement is not met fails. Under make test it is skipped instead, and make test
// lists the skipped tests at its end.
package needs

import (
	"fmt"
	"os"
	"testing"
)

// skippedVariable names the file in which make test collects the skipped tests. It
// is not set if make test runs as root.
const skippedVariable = "JETON_TEST_LEFT_OUT"

// Root skips the test, or fails it, unless it runs as root. Why completes the
// sentence "it needs root, because it".
func Root(t testing.TB, why string) {
	t.Helper()
	if skipped, err := skip(t.Name(), why); err != nil {
		t.Fatal(err)
	} else if skipped {
		t.Skipf("it needs root, because it %s", why)
	}
}

// RootForAll reports whether the tests of a package can run if all of them need
// root. It is for TestMain, which exits with code if ok is false.
func RootForAll(name, why string) (ok bool, code int) {
	skipped, err := skip(name, why)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return false, 1
	}
	return !skipped, 0
}

// skip records that a test is skipped. It returns false as root, and an error if
// the skipped test would not be listed.
func skip(name, why string) (bool, error) {
	if os.Geteuid() == 0 {
		return false, nil
	}
	path := os.Getenv(skippedVariable)
	if path == "" {
		return false, fmt.Errorf("%s needs root, because it %s: run it as root, or run make test, which skips it", name, why)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return false, fmt.Errorf("record that %s is skipped: %w", name, err)
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%s: it %s\n", name, why)
	return true, err
}
