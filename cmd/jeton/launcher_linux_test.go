package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// TestLauncher_RunsBeforeMostPackagesAreInitialized checks the order of initialization,
// which follows from the launcher's imports: calls may be waiting for the launcher.
func TestLauncher_RunsBeforeMostPackagesAreInitialized(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// No file descriptor of that number is open.
	c := &exec.Cmd{Path: program, Args: []string{launcher.Name, "1000"}, Env: []string{"GODEBUG=inittrace=1"}}
	out, _ := c.CombinedOutput()
	text := string(out)
	if !strings.Contains(text, "\ninit golang.org/x/sys/unix ") || !strings.HasSuffix(text, "bad file descriptor\n") {
		t.Fatalf("got output %.500q, want the initialization of x/sys/unix and a bad file descriptor", text)
	}
	for _, late := range []string{"net", "net/http", "path/filepath", "crypto/tls", "github.com/alecthomas/kong"} {
		if strings.Contains(text, "\ninit "+late+" ") {
			t.Errorf("package %s is initialized before the launcher runs", late)
		}
	}
}

// TestAgentLaunch_RunsBeforeMostPackagesAreInitialized checks the same for the launcher in the
// container of a function, which has a small part of a CPU.
func TestAgentLaunch_RunsBeforeMostPackagesAreInitialized(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "agent", "launch")
	c.Env = []string{"GODEBUG=inittrace=1"}
	out, _ := c.CombinedOutput()
	text := string(out)
	if !strings.HasSuffix(text, "jeton: launcher: Dir, Home, Temporary and Start are required\n") {
		t.Fatalf("got output %.500q, want an error of the launcher", text)
	}
	for _, late := range []string{"net/http", "k8s.io/client-go/rest", "github.com/prometheus/client_golang/prometheus", "github.com/jeton-dev/jeton/internal/server"} {
		if strings.Contains(text, "\ninit "+late+" ") {
			t.Errorf("package %s is initialized before the launcher runs", late)
		}
	}
}
