package php_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

var echoing = map[string]string{
	"handler.php": "<?php function handle($event, $context) { return $event['body']; }",
}

func TestBootstrap_HandlesRawHTTP(t *testing.T) {
	t.Parallel()
	runtimetest.TestRaw(t, runtimetest.Start(t, language.Build(t, "handler.handle", echoing)))
}

func FuzzHTTP(f *testing.F) {
	runtimetest.FuzzRaw(f, runtimetest.Start(f, language.Build(f, "handler.handle", echoing)))
}
