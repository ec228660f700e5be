package python_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	runtimetest.TestRaw(t, runtimetest.Start(t, build(t, "handler.handle", map[string]string{
		"handler.py": "def handle(event, context): return event['body']\n",
	})))
}
