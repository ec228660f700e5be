package output_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/test/await"
)

// What is slow for one function holds up no other.
func TestOneFunctionIsSlow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, 1<<20)
	folder := filepath.Join(dir, "slow")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	// A pipe that nobody reads from is a disk that takes nothing more.
	pipe := filepath.Join(folder, "build.log.new")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- l.WriteBuild(output.Function{ID: "slow"}, strings.Repeat("x", 1<<20)) }()
	reader, err := os.Open(pipe) // returns when it is opened for writing
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	others := make(chan error, 1)
	go func() {
		for n := range 200 {
			// More than are open at once.
			if err := l.Append(line(fmt.Sprint("f", n), n)); err != nil {
				others <- err
				return
			}
		}
		others <- nil
	}()
	if err := await.Receive(t, "the lines of other functions", others); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, reader); err != nil {
		t.Error(err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
