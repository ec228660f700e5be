package runtime_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestBuilders_RefuseUnknownLanguage(t *testing.T) {
	t.Parallel()
	_, err := runtime.Builders{}.Build(context.Background(), runtime.Build{Runtime: runtime.Runtime{Language: runtime.PHP}})
	var failed *runtime.BuildError
	if !errors.As(err, &failed) || failed.Message == "" {
		t.Errorf("Build() = %v, want a *BuildError with a message", err)
	}
}

func TestLaunch_ResolvesPathsAndVariables(t *testing.T) {
	t.Parallel()
	toolchains := runtime.FindToolchains(t.Context(), nil)
	node, err := toolchains.For(runtime.Node)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		launch       runtime.Launch
		command, env []string
	}{
		"program": {
			launch:  runtime.Launch{Command: []string{"{dir}/function"}},
			command: []string{"/data/r1/function"},
		},
		"interpreter": {
			launch: runtime.Launch{
				Interpreter: runtime.Node, Command: []string{"{dir}/b", "x"}, Env: []string{"P={dir}/a:{dir}/b", "Q=1"},
			},
			command: []string{node.Path, "/data/r1/b", "x"},
			env:     []string{"P=/data/r1/a:/data/r1/b", "Q=1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command, env, err := test.launch.Resolve("/data/r1", toolchains)
			if err != nil || !slices.Equal(command, test.command) || !slices.Equal(env, test.env) {
				t.Errorf("Resolve() = %q, %q, %v, want %q, %q", command, env, err, test.command, test.env)
			}
		})
	}
	for name, test := range map[string]struct {
		launch runtime.Launch
		want   []string
	}{
		"variables of a program": {
			runtime.Launch{Command: []string{"{dir}/function"}},
			[]string{"SCW_HANDLER_NAME=Handle", "SCW_HANDLER_PATH=/home/app/function", "SCW_HANDLER_IS_BINARY=true"},
		},
		"variables of a script": {
			runtime.Launch{Interpreter: runtime.Node, Command: []string{"x"}},
			[]string{
				"SCW_HANDLER_NAME=Handle", "SCW_HANDLER_PATH=/home/app/function/src/index", "SCW_HANDLER_IS_BINARY=false",
				"SCW_RUNTIME_BINARY=/bin/node",
			},
		},
	} {
		handler := runtime.Handler{Function: "Handle"}
		if test.launch.Interpreter != "" {
			handler.Dir, handler.File = "src", "index"
		}
		if got := test.launch.Variables(handler, "/home/app", []string{"/bin/node", "x"}); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	for _, launch := range []runtime.Launch{{}, {Interpreter: "Cobol", Command: []string{"x"}}} {
		if command, _, err := launch.Resolve("/data/r1", toolchains); err == nil {
			t.Errorf("Resolve() of %+v = %q, want an error", launch, command)
		}
	}
}
