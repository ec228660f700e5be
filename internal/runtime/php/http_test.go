package php_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	runtimetest.TestRaw(t, runtimetest.Start(t, build(t, "handler.handle", map[string]string{
		"handler.php": "<?php function handle($event, $context) { return $event['body']; }",
	})))
}
