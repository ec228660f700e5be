package node_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestWorker_LeavesNoTraces(t *testing.T) {
	t.Parallel()
	runtimetest.TestWorker(t, language.Worker, language.Build(t, "handler.handle", map[string]string{
		"handler.js": "exports.handle = () => ({ ...process.env });",
	}))
}

// Node.js reads TZ again when it changes.
func TestWorker_AppliesTimeZone(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.js": "exports.handle = () => new Date().getTimezoneOffset();",
	})
	language.InBothModes(t, func(t *testing.T, mode runtimetest.Mode) {
		if got := mode.Start(t, built, "TZ=Asia/Tokyo").Do(t, runtimetest.Call{}); got.Body != "-540" {
			t.Errorf("got offset %s, want -540", got.Body)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	language.BenchmarkStart(b, "exports.handle = () => 'Hello, World!';")
}
