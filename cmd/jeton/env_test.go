package main

import (
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

func TestEnv_WaitsForServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	status, output := command(t, "", "env", "--data-dir", dir, "--wait", "1ms")
	wantOutput(t, "no server", status, 1, output, "start 'jeton serve' first")

	type outcome struct {
		status int
		output string
	}
	ended := make(chan outcome, 1)
	go func() {
		status, output := command(t, "", "env", "--data-dir", dir, "--wait", await.Patience.String())
		ended <- outcome{status, output}
	}()
	j := jetontest.Start(t, func(c *server.Config) { c.DataDir, c.Credentials = dir, server.CredentialsPath(dir) })
	got := await.Receive(t, "jeton env", ended)
	wantOutput(t, "server that starts", got.status, 0, got.output, "export SCW_API_URL='"+j.APIURL+"'", "export JETON_GATEWAY_URL='"+j.GatewayURL+"'")

	// With a running server it does not wait: otherwise this test would not end.
	status, output = command(t, "", "env", "--data-dir", dir, "--wait", "24h")
	wantOutput(t, "running server", status, 0, output, "export SCW_SECRET_KEY=")

	status, output = command(t, "", "env", "--data-dir", dir, "--api-url", j.APIURL, "--api-key", j.SecretKey)
	wantOutput(t, "server by its URL", status, 0, output, "export JETON_GATEWAY_URL='"+j.GatewayURL+"'",
		"export SCW_FUNCTION_URL='"+j.APIURL+"/functions/v1beta1/regions/fr-par'")
}
