package process_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/process"
)

// ports provides artifacts and commands for tests. An artifact is the absolute path
// of a folder, or any other name for the folder empty. A launch is a command line,
// as JSON, or nothing for the test program itself.
type ports struct{ empty string }

// withPorts returns the configuration with ports.
func withPorts(t *testing.T, config process.Config) process.Config {
	t.Helper()
	p := ports{t.TempDir()}
	config.Artifacts, config.Starter = p, p
	return config
}

func (p ports) Local(_ context.Context, _, artifact string) (string, func(), error) {
	if filepath.IsAbs(artifact) {
		return artifact, func() {}, nil
	}
	return p.empty, func() {}, nil
}

func (ports) Start(r engine.Revision, _ string) (process.Start, error) {
	if len(r.Launch) == 0 {
		program, err := os.Executable()
		return process.Start{Command: []string{program}, Env: r.Env}, err
	}
	var command []string
	if err := json.Unmarshal(r.Launch, &command); err != nil {
		return process.Start{}, errors.New("launch is not a command line")
	}
	return process.Start{Command: command, Env: r.Env}, nil
}

// launch returns the launch of a command.
func launch(t *testing.T, command ...string) []byte {
	t.Helper()
	text, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// shell returns the launch of a shell script.
func shell(t *testing.T, script string) []byte {
	t.Helper()
	return launch(t, "/bin/sh", "-c", script)
}

// brokenPorts fails to find artifacts.
type brokenPorts struct{ ports }

func (brokenPorts) Local(context.Context, string, string) (string, func(), error) {
	return "", nil, errors.New("artifact a is missing")
}

// countingPorts counts the artifacts that are in use.
type countingPorts struct {
	ports
	inUse atomic.Int64
}

func (p *countingPorts) Local(ctx context.Context, functionID, artifact string) (string, func(), error) {
	p.inUse.Add(1)
	dir, _, err := p.ports.Local(ctx, functionID, artifact)
	return dir, func() { p.inUse.Add(-1) }, err
}

func TestEngine_ReleasesArtifactsAfterTheirLastUse(t *testing.T) {
	t.Parallel()
	config := withPorts(t, process.Config{Dir: shortDir(t)})
	counting := &countingPorts{ports: ports{t.TempDir()}}
	config.Artifacts = counting
	e := newEngine(t, config)
	wantInUse := func(when string, want int64) {
		t.Helper()
		if got := counting.inUse.Load(); got != want {
			t.Errorf("%d artifacts are in use %s, want %d", got, when, want)
		}
	}
	events := enginetest.Watch(t, e)
	r := enginetest.Revision(enginetest.Serve)
	enginetest.StartOne(t, e, events, r)
	wantInUse("by an instance", 1)
	if err := e.Apply(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	wantInUse("by an instance and its revision that was applied again", 2)
	if err := e.Apply(t.Context(), engine.Revision{ID: "broken", Launch: launch(t)}); err == nil {
		t.Error("Apply() of an empty command = nil, want an error")
	}
	wantInUse("after an Apply that failed", 2)
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	wantInUse("after Delete", 0)
	if err := e.Apply(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	wantInUse("after Close", 0)
}

func TestApply_RefusesRevisionsThatCannotRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		launch []byte
		broken bool
		want   string
	}{
		"relative command": {launch: launch(t, "relative"), want: `apply revision "r": command ["relative"] has no absolute path`},
		"empty command":    {launch: launch(t), want: `apply revision "r": command [] has no absolute path`},
		"failing starter":  {launch: []byte("{"), want: `apply revision "r": launch is not a command line`},
		"missing artifact": {broken: true, want: `apply revision "r": artifact a is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := withPorts(t, process.Config{Dir: shortDir(t)})
			if test.broken {
				config.Artifacts = brokenPorts{}
			}
			e := newEngine(t, config)
			err := e.Apply(t.Context(), engine.Revision{ID: "r", Artifact: "a", Launch: test.launch})
			if err == nil || err.Error() != test.want {
				t.Errorf("Apply() = %v, want %q", err, test.want)
			}
			if err := e.SetScale(t.Context(), "r", 1, nil); !errors.Is(err, engine.ErrUnknownRevision) {
				t.Errorf("SetScale() = %v, want %v", err, engine.ErrUnknownRevision)
			}
		})
	}
}

func TestNew_RequiresPorts(t *testing.T) {
	t.Parallel()
	if e, err := process.New(process.Config{Dir: shortDir(t)}, nil); err == nil {
		t.Errorf("New() without ports = %v, want an error", e)
	}
}
