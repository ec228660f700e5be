package main

import (
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// env waits for a server that starts meanwhile, and not for one that does not.
func TestEnvWaits(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	status, said := command(t, "", "env", "--data-dir", dir, "--wait", "1ms")
	wantSays(t, "no server", status, 1, said, "start 'jeton serve' first")

	type outcome struct {
		status int
		said   string
	}
	ended := make(chan outcome, 1)
	go func() {
		status, said := command(t, "", "env", "--data-dir", dir, "--wait", await.Patience.String())
		ended <- outcome{status, said}
	}()
	j := jetontest.Start(t, func(c *server.Config) { c.DataDir, c.Credentials = dir, server.CredentialsPath(dir) })
	got := await.Receive(t, "jeton env", ended)
	wantSays(t, "a server that starts", got.status, 0, got.said, "export SCW_API_URL='"+j.APIURL+"'", "export JETON_GATEWAY_URL='"+j.GatewayURL+"'")

	// It does not wait for a server that runs, or this test would not end.
	status, said = command(t, "", "env", "--data-dir", dir, "--wait", "24h")
	wantSays(t, "a server that runs", status, 0, said, "export SCW_SECRET_KEY=")
}
