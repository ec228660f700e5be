package python_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestWorker_LeavesNoTraces(t *testing.T) {
	t.Parallel()
	runtimetest.TestWorker(t, language.Worker, language.Build(t, "handler.handle", map[string]string{
		"handler.py": "import os\ndef handle(event, context): return dict(os.environ)\n",
	}))
}

// Python reads these variables when it starts.
func TestWorker_AppliesStartupVariables(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.py": "import sys, time, os\nimport elsewhere\n" +
			"def handle(e, c): return [elsewhere.text, time.tzname[0], sys.dont_write_bytecode, os.getcwd() in sys.path, len(sys.argv)]\n",
		"more/elsewhere.py": "text = 'found'\n",
	})
	language.InBothModes(t, func(t *testing.T, mode runtimetest.Mode) {
		got := mode.Start(t, built, "PYTHONPATH="+built.Dir+"/function/more", "TZ=JST-9").Do(t, runtimetest.Call{})
		if want := `["found","JST",true,false,1]`; got.Body != want {
			t.Errorf("got %s, want %s", got.Body, want)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	language.BenchmarkStart(b, "def handle(event, context): return 'Hello, World!'\n")
}
