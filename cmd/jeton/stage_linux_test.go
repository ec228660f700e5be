package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// TestStageComesFirst asks that a stage has its turn before most of this program
// is set up, which its package's imports decide: calls may wait for it.
func TestStageComesFirst(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// There is nobody at the other end of the socket that it is told of.
	c := &exec.Cmd{Path: program, Args: []string{stage.Name, "1000"}, Env: []string{"GODEBUG=inittrace=1"}}
	out, _ := c.CombinedOutput()
	text := string(out)
	if !strings.Contains(text, "\ninit golang.org/x/sys/unix ") || !strings.HasSuffix(text, "bad file descriptor\n") {
		t.Fatalf("the stage says %.500q", text)
	}
	for _, late := range []string{"net", "net/http", "path/filepath", "crypto/tls", "github.com/alecthomas/kong"} {
		if strings.Contains(text, "\ninit "+late+" ") {
			t.Errorf("package %s is set up before the stage", late)
		}
	}
}
