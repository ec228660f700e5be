package runtime_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestStarter_ReturnsCommandAndEnvironment(t *testing.T) {
	t.Parallel()
	toolchains := runtime.FindToolchains(t.Context(), nil)
	node, err := toolchains.For(runtime.Node)
	if err != nil {
		t.Fatal(err)
	}
	workers := map[string]runtime.Worker{runtime.Node: {Interpreter: runtime.Node, BootstrapName: "b.js", Startup: []string{"NODE_OPTIONS"}}}
	script := runtime.Launch{Interpreter: runtime.Node, Command: []string{"{dir}/b.js", "{dir}/function"}, Env: []string{"PORT=1", "P={dir}/x"}}
	scriptEnv := []string{
		"SCW_HANDLER_NAME=handle", "SCW_HANDLER_PATH=/home/app/function/index", "SCW_HANDLER_IS_BINARY=false", "SCW_RUNTIME_BINARY=" + node.Path,
	}
	for name, test := range map[string]struct {
		runtime, handler string
		launch           runtime.Launch
		env              []string
		workers          map[string]runtime.Worker
		want             runtime.Start
	}{
		"a program": {
			"go126", "Handle",
			runtime.Launch{Command: []string{"{dir}/function"}},
			[]string{"A=1"},
			workers,
			runtime.Start{
				Language: runtime.Go, Command: []string{"/home/app/function"},
				Env: []string{"A=1", "SCW_HANDLER_NAME=Handle", "SCW_HANDLER_PATH=/home/app/function", "SCW_HANDLER_IS_BINARY=true"},
			},
		},
		"a script, with the function's variables after those of the build": {
			"node22", "index.handle", script,
			[]string{"PORT=2"},
			nil,
			runtime.Start{
				Language: runtime.Node, Command: []string{node.Path, "/home/app/b.js", "/home/app/function"},
				Env: append([]string{"PORT=1", "P=/home/app/x", "PORT=2"}, scriptEnv...),
			},
		},
		"a script that a worker can serve": {
			"node22", "index.handle", script, nil, workers,
			runtime.Start{
				Language: runtime.Node, Command: []string{node.Path, "/home/app/b.js", "/home/app/function"},
				Env: append([]string{"PORT=1", "P=/home/app/x"}, scriptEnv...), UseWorker: true, WorkerArguments: []string{"/home/app/function"},
			},
		},
		"a script with a variable that only a new interpreter reads": {
			"node22", "index.handle", script,
			[]string{"NODE_OPTIONS=-v"},
			workers,
			runtime.Start{
				Language: runtime.Node, Command: []string{node.Path, "/home/app/b.js", "/home/app/function"},
				Env: append([]string{"PORT=1", "P=/home/app/x", "NODE_OPTIONS=-v"}, scriptEnv...),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			launch, err := json.Marshal(test.launch)
			if err != nil {
				t.Fatal(err)
			}
			starter := runtime.Starter{Toolchains: toolchains, Workers: test.workers}
			got, err := starter.Start(test.runtime, test.handler, launch, test.env, "/home/app")
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("Start() = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestStarter_RefusesWhatThisMachineCannotStart(t *testing.T) {
	t.Parallel()
	starter := runtime.Starter{Toolchains: runtime.FindToolchains(t.Context(), map[string]string{runtime.Node: "/no/such/node"})}
	for name, test := range map[string]struct{ runtime, handler, launch, want string }{
		"unknown runtime":     {"cobol85", "main", `{"command":["x"]}`, `unknown runtime "cobol85"`},
		"invalid handler":     {"go126", "a b", `{"command":["x"]}`, "handler"},
		"invalid launch":      {"go126", "Handle", `{`, "decode launch"},
		"launch of nothing":   {"go126", "Handle", `{}`, "no command"},
		"missing interpreter": {"node22", "index.handle", `{"interpreter":"` + runtime.Node + `","command":["x"]}`, "this server cannot serve"},
	} {
		if start, err := starter.Start(test.runtime, test.handler, []byte(test.launch), nil, "/home/app"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Start() = %+v, %v, want an error that contains %q", name, start, err, test.want)
		}
	}
}
