package agent_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/launcher"
	"github.com/jeton-dev/jeton/internal/agent/parcel"
	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// ordered returns a Pod, its node and its launcher, after the greeting.
func ordered(t *testing.T, config agent.Config) (node, launcher *wire.Conn) {
	t.Helper()
	p := startPod(t, config)
	node = p.connect(t)
	wantToken(t, node)
	// The first byte comes with the socket of the function.
	if _, err := io.ReadFull(p.launcher, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return node, wire.NewConn(p.launcher)
}

func TestOrder_UnpacksTheArtifactForTheLauncher(t *testing.T) {
	t.Parallel()
	source, home := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "handler.js"), []byte("the code"), 0o600); err != nil {
		t.Fatal(err)
	}
	node, launcher := ordered(t, agent.Config{Home: home})
	send := func(kind wire.Kind, content any) {
		t.Helper()
		if err := node.SendJSON(kind, content); err != nil {
			t.Fatal(err)
		}
	}
	send(wire.Order, wire.Task{Runtime: "node24", Handler: "handler.handle"})
	// A stop that comes before the artifact is passed on after the order.
	if err := node.Send(wire.Terminate, nil); err != nil {
		t.Fatal(err)
	}
	if err := node.SendArchive(func(w io.Writer) error { return parcel.Pack(context.Background(), source, w) }); err != nil {
		t.Fatal(err)
	}
	kind, payload, err := launcher.Receive()
	if err != nil || kind != wire.Order {
		t.Fatalf("Receive() = %q, %v, want the order", kind, err)
	}
	if task, err := wire.DecodeTask(payload); err != nil || !task.Unpacked || task.Handler != "handler.handle" {
		t.Errorf("the launcher receives the task %+v, %v, want it with an unpacked artifact", task, err)
	}
	file := filepath.Join(home, "handler.js")
	if content, err := os.ReadFile(file); err != nil || string(content) != "the code" {
		t.Errorf("the artifact has %q, %v", content, err)
	}
	// The function reads it as another user of the same group.
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file has mode %v, %v, want it readable for the group", info.Mode(), err)
	}
	if kind, _, err := launcher.Receive(); kind != wire.Terminate || err != nil {
		t.Errorf("Receive() = %q, %v, want %q", kind, err, wire.Terminate)
	}
}

func TestOrder_PassesTheSourceOfABuild(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	node, launcher := ordered(t, agent.Config{Home: home})
	if err := node.SendJSON(wire.Order, wire.Task{Build: true, Runtime: "go126"}); err != nil {
		t.Fatal(err)
	}
	if err := node.Send(wire.Part, []byte("source")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []wire.Kind{wire.Order, wire.Part} {
		if kind, _, err := launcher.Receive(); kind != want || err != nil {
			t.Errorf("Receive() = %q, %v, want %q", kind, err, want)
		}
	}
}

func TestOrder_ReportsADamagedArtifact(t *testing.T) {
	t.Parallel()
	node, _ := ordered(t, agent.Config{Home: t.TempDir()})
	if err := node.SendJSON(wire.Order, wire.Task{Runtime: "node24"}); err != nil {
		t.Fatal(err)
	}
	if err := node.Send(wire.Digest, make([]byte, wire.DigestSize)); err != nil {
		t.Fatal(err)
	}
	kind, payload, err := node.Receive()
	if exit, decodeErr := wire.DecodeExit(payload); err != nil || kind != wire.Exited || decodeErr != nil || exit.Failure == "" {
		t.Errorf("Receive() = %q, %s, %v, want the failure", kind, payload, err)
	}
}

func TestRun_WritesToolchainsForTheLauncher(t *testing.T) {
	t.Parallel()
	p := startPod(t, agent.Config{Toolchains: []byte("{}")})
	dir := filepath.Dir(p.launcher.RemoteAddr().String())
	if text, err := os.ReadFile(filepath.Join(dir, launcher.Toolchains)); err != nil || string(text) != "{}" {
		t.Errorf("the launcher reads %q, %v", text, err)
	}
}
