package python_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestWorker(t *testing.T) {
	t.Parallel()
	runtimetest.TestWorker(t, language.Worker, language.Build(t, "handler.handle", map[string]string{
		"handler.py": "import os\ndef handle(event, context): return dict(os.environ)\n",
	}))
}

// TestWorkerStartup asks that the variables which Python reads when it starts
// have their effect, of those that a worker takes.
func TestWorkerStartup(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.py": "import sys, time, os\nimport elsewhere\n" +
			"def handle(e, c): return [elsewhere.text, time.tzname[0], sys.dont_write_bytecode, os.getcwd() in sys.path, len(sys.argv)]\n",
		"more/elsewhere.py": "text = 'found'\n",
	})
	language.InBothModes(t, func(t *testing.T, mode runtimetest.Mode) {
		got := mode.Start(t, built, "PYTHONPATH="+built.Dir+"/function/more", "TZ=JST-9").Do(t, runtimetest.Call{})
		if want := `["found","JST",true,false,1]`; got.Body != want {
			t.Errorf("the function sees %s, want %s", got.Body, want)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	language.BenchmarkStart(b, "def handle(event, context): return 'Hello, World!'\n")
}
