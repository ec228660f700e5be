package tool_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

func TestRun_GivesNetworkVariablesToDownloadsOnly(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://user:pass%21word@proxy.invalid:3128")
	}
	for _, network := range []bool{false, true} {
		c := shell("env")
		c.Env, c.Network = tool.Inherited(), network
		out, err := tool.Run(t.Context(), c)
		if err != nil || strings.Contains(out, "proxy.invalid") != network || !strings.Contains(out, "PATH=") {
			t.Errorf("network %t: got environment %q, %v", network, out, err)
		}
	}
}

func TestRun_RedactsCredentials(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://user:pass%21word@proxy.invalid:3128")
	t.Setenv("HTTP_PROXY", "plain:secret2@proxy.invalid:3128")
	tests := map[string]string{
		"the whole variable":  "echo $HTTPS_PROXY $HTTP_PROXY",
		"the password alone":  "echo cannot log in with pass%21word, 'pass!word' or secret2",
		"in a header":         "echo Authorization: Basic $(printf 'user:pass!word' | base64)",
		"user of another URL": "echo cannot clone https://token:hunter22@git.invalid/x",
		"written in parts":    "printf pass%%21; sleep 0.1; printf word; echo",
		"long line":           "head -c 70000 /dev/zero | tr '\\0' x; printf pass; head -c 0 /dev/zero; printf '!word'; head -c 70000 /dev/zero | tr '\\0' x",
		"line without an end": "printf secret2",
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c := shell(script)
			c.Env, c.Network, c.Log = tool.Inherited(), true, &log
			out, err := tool.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"pass%21word", "pass!word", "secret2", "dXNlcjpwYXNzIXdvcmQ=", "hunter22"} {
				if strings.Contains(out, secret) || strings.Contains(log.String(), secret) {
					t.Errorf("got %s in the output %.200q or the log %.200q", secret, out, log.String())
				}
			}
			if !strings.Contains(log.String(), "***") {
				t.Errorf("got log %.200q, want a mark for what was redacted", log.String())
			}
		})
	}
}
