package php_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestWorker_LeavesNoTraces(t *testing.T) {
	t.Parallel()
	runtimetest.TestWorker(t, language.Worker, language.Build(t, "handler.handle", map[string]string{
		"handler.php": "<?php function handle($e, $c) { return getenv(); }",
	}))
}

// All interfaces of PHP return the assigned environment, and no variables of the bootstrap.
func TestWorker_SetsGlobals(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.php": `<?php function handle($e, $c) {
			return [getenv("A"), $_ENV["A"], $_SERVER["A"], $_SERVER["PHP_SELF"] !== "mine", $_SERVER["argc"], isset($_SERVER["OF_THE_WORKER"]), array_diff(array_keys($GLOBALS), ["_GET", "_POST", "_COOKIE", "_FILES", "_SERVER", "_ENV", "_REQUEST"])];
		}`,
	})
	language.InBothModes(t, func(t *testing.T, mode runtimetest.Mode) {
		got := mode.Start(t, built, "A=1", "PHP_SELF=mine").Do(t, runtimetest.Call{})
		if want := `["1","1","1",true,1,false,[]]`; got.Body != want {
			t.Errorf("got %s, want %s", got.Body, want)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	language.BenchmarkStart(b, "<?php function handle($event, $context) { return 'Hello, World!'; }")
}
