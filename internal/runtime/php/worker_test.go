package php_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestWorker(t *testing.T) {
	t.Parallel()
	runtimetest.TestWorker(t, language.Worker, language.Build(t, "handler.handle", map[string]string{
		"handler.php": "<?php function handle($e, $c) { return getenv(); }",
	}))
}

// TestWorkerGlobals asks that all of PHP's ways to the environment lead to the
// assigned one, and that nothing of the bootstrap shows.
func TestWorkerGlobals(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.php": `<?php function handle($e, $c) {
			return [getenv("A"), $_ENV["A"], $_SERVER["A"], $_SERVER["PHP_SELF"] !== "mine", $_SERVER["argc"], isset($_SERVER["OF_THE_WORKER"]), array_diff(array_keys($GLOBALS), ["_GET", "_POST", "_COOKIE", "_FILES", "_SERVER", "_ENV", "_REQUEST"])];
		}`,
	})
	language.InBothModes(t, func(t *testing.T, mode runtimetest.Mode) {
		got := mode.Start(t, built, "A=1", "PHP_SELF=mine").Do(t, runtimetest.Call{})
		if want := `["1","1","1",true,1,false,[]]`; got.Body != want {
			t.Errorf("the function sees %s, want %s", got.Body, want)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	language.BenchmarkStart(b, "<?php function handle($event, $context) { return 'Hello, World!'; }")
}
