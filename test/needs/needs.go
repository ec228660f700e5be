// Package needs says what a test needs of the machine. A test whose need is not
// met fails, so that nobody takes it for passed; only under make test, which
// names such tests at its end, it is left out.
package needs

import (
	"fmt"
	"os"
	"testing"
)

// leftOutVariable names the file that make test collects the names of tests in
// that were left out. It is not set for root.
const leftOutVariable = "JETON_TEST_LEFT_OUT"

// Root leaves the test out, or fails it, unless it runs as root. why completes the
// sentence "it needs root, because it".
func Root(t testing.TB, why string) {
	t.Helper()
	if left, err := leaveOut(t.Name(), why); err != nil {
		t.Fatal(err)
	} else if left {
		t.Skipf("it needs root, because it %s", why)
	}
}

// RootForAll reports whether a package's tests can run all of which need root. It
// is for TestMain, which exits with code if not.
func RootForAll(name, why string) (ok bool, code int) {
	left, err := leaveOut(name, why)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return false, 1
	}
	return !left, 0
}

// leaveOut notes that a test is left out. Returns false as root, and an error where
// nobody would say that it was left out.
func leaveOut(name, why string) (bool, error) {
	if os.Geteuid() == 0 {
		return false, nil
	}
	path := os.Getenv(leftOutVariable)
	if path == "" {
		return false, fmt.Errorf("%s needs root, because it %s: run it as root, or by make test, which leaves it out", name, why)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return false, fmt.Errorf("note that %s is left out: %w", name, err)
	}
	defer file.Close()
	_, err = fmt.Fprintf(file, "%s: it %s\n", name, why)
	return true, err
}
