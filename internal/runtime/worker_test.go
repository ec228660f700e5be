package runtime_test

import (
	"reflect"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestWorker_AssignsWhatItCanServe(t *testing.T) {
	t.Parallel()
	worker := runtime.Worker{
		Interpreter: runtime.Python, Options: []string{"-u"}, BootstrapName: "b.py",
		Startup: []string{"LANG", "PYTHON*"}, Handled: []string{"PYTHONPATH"},
	}
	command := []string{"-u", "{dir}/b.py", "{dir}/function", "handle"}
	tests := map[string]struct {
		launch runtime.Launch
		env    []string
		want   map[string]string
		no     bool
	}{
		"last value counts": {
			launch: runtime.Launch{Interpreter: runtime.Python, Command: command},
			env:    []string{"A=1", "B=x=y", "A=2", "PYTHONPATH=/p", "LANGUAGE=fr"},
			want:   map[string]string{"A": "2", "B": "x=y", "PYTHONPATH": "/p", "LANGUAGE": "fr"},
		},
		"startup variable": {
			launch: runtime.Launch{Interpreter: runtime.Python, Command: command}, env: []string{"LANG=C"}, no: true,
		},
		"startup variable by prefix": {
			launch: runtime.Launch{Interpreter: runtime.Python, Command: command}, env: []string{"PYTHONOPTIMIZE=1"}, no: true,
		},
		"other language":  {launch: runtime.Launch{Interpreter: runtime.Node, Command: command}, no: true},
		"other bootstrap": {launch: runtime.Launch{Interpreter: runtime.Python, Command: []string{"-u", "{dir}/c.py"}}, no: true},
		"other options":   {launch: runtime.Launch{Interpreter: runtime.Python, Command: []string{"{dir}/b.py"}}, no: true},
		"program":         {launch: runtime.Launch{Command: []string{"{dir}/function"}}, no: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := worker.Assign(test.launch, "/data/r1", test.env)
			if ok == test.no {
				t.Fatalf("Assign() = %+v, %t, want %t", got, ok, !test.no)
			}
			want := runtime.Assignment{Arguments: []string{"/data/r1/function", "handle"}, Environment: test.want}
			if ok && !reflect.DeepEqual(got, want) {
				t.Errorf("Assign() = %+v, want %+v", got, want)
			}
		})
	}
}
