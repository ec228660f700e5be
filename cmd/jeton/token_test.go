package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// command runs a command line with the given standard input, and returns its exit status and
// its output on both streams.
func command(t *testing.T, input string, args ...string) (status int, output string) {
	t.Helper()
	var out bytes.Buffer
	status = run(args, strings.NewReader(input), &out, &out)
	return status, out.String()
}

func wantOutput(t *testing.T, name string, status, wantStatus int, output string, parts ...string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("%s: got status %d, want %d: %s", name, status, wantStatus, output)
	}
	for _, part := range parts {
		if !strings.Contains(output, part) {
			t.Errorf("%s: got %s, want %q", name, output, part)
		}
	}
}

// issue creates a namespace and a token for it that is valid for three hours.
func issue(t *testing.T, api *function.API) *function.Token {
	t.Helper()
	n, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "tokens"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: new(20 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	expires := time.Now().Add(3 * time.Hour)
	issued, err := api.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID, ExpiresAt: &expires})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func TestTokenCommands_ShowValidity(t *testing.T) {
	jeton := jetontest.Start(t, func(c *server.Config) { c.GatewayTLSListen = "127.0.0.1:0" })
	t.Setenv("JETON_DATA_DIR", jeton.DataDir)
	api := function.NewAPI(jeton.Client())
	issued := issue(t, api)

	status, output := command(t, issued.Token+"\n", "token", "inspect")
	wantOutput(t, "inspect", status, 0, output, `"alg": "RS256"`, `"jti": "`+issued.ID+`"`,
		"scope    all private functions of the namespace "+*issued.NamespaceID, ", in 2 hours", "Not verified")
	if strings.Contains(output, issued.Token) {
		t.Error("the output contains the token")
	}
	status, output = command(t, "", "token", "inspect", issued.Token)
	wantOutput(t, "inspect of an argument", status, 0, output, issued.ID)

	status, output = command(t, issued.Token, "token", "verify", "-")
	wantOutput(t, "verify", status, 0, output, "signature  verified with key ", "times      valid now", "revocation not revoked")

	parts := strings.Split(issued.Token, ".")
	forged := parts[0] + "." + parts[1] + "." + parts[2][:10] + strings.Repeat("A", len(parts[2])-10)
	status, output = command(t, forged, "token", "verify")
	wantOutput(t, "verify a forged token", status, 1, output, "NOT VALID: no key verifies the signature", "revocation not checked")

	elsewhere := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(elsewhere, []byte(*issued.PublicKey), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, keys := range []string{elsewhere, jeton.APIURL + "/.well-known/jwks.json"} {
		status, output = command(t, issued.Token, "token", "verify", "--jwks", keys)
		wantOutput(t, "verify with "+keys, status, 0, output, "verified with key", "revocation not checked")
	}
	unknownKey := filepath.Join(t.TempDir(), "credentials.yaml")
	config := fmt.Sprintf("access_key: SCW00000000000000000\nsecret_key: 99999999-9999-4999-8999-999999999999\napi_url: %s\n", jeton.APIURL)
	if err := os.WriteFile(unknownKey, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	status, output = command(t, issued.Token, "token", "verify", "--credentials", unknownKey)
	wantOutput(t, "verify with an unknown API key", status, 1, output, "signature  verified", "revocation NOT KNOWN")
	if _, err := api.DeleteToken(&function.DeleteTokenRequest{Region: scw.RegionFrPar, TokenID: issued.ID}); err != nil {
		t.Fatal(err)
	}
	status, output = command(t, issued.Token, "token", "verify")
	wantOutput(t, "verify a revoked token", status, 1, output, "signature  verified", "revocation NOT VALID: the server has no such token")

	status, output = command(t, "", "ca")
	wantOutput(t, "ca", status, 0, output, "-----BEGIN CERTIFICATE-----")
}

func TestTokenCommands_WithoutServer(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("JETON_DATA_DIR", filepath.Join(dir, "none"))
	// {"alg":"none"} over claims of a function, expired in 1970.
	const unsigned = "eyJhbGciOiJub25lIn0.eyJhcHBsaWNhdGlvbl9jbGFpbSI6W3siYXBwbGljYXRpb25faWQiOiJmIn1dLCJhdWQiOiJmdW5jdGlvbnMiLCJleHAiOjF9."
	keys := filepath.Join(dir, "jwks.json")
	if err := os.WriteFile(keys, []byte(`{"keys":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		input  string
		args   []string
		status int
		want   string
	}{
		"empty":                 {"", []string{"inspect"}, 1, "not a function token"},
		"no token":              {"hello", []string{"inspect"}, 1, "not a function token"},
		"too long":              {strings.Repeat("a", 1<<20), []string{"inspect"}, 1, "longer than"},
		"unsigned":              {unsigned, []string{"inspect"}, 0, "scope    the function f"},
		"expired":               {unsigned, []string{"inspect"}, 0, "years ago"},
		"verify without server": {unsigned, []string{"verify"}, 1, "--jwks"},
		"verify unsigned":       {unsigned, []string{"verify", "--jwks", keys}, 1, `NOT VALID: the signature is not RS256: the header says "none"`},
		"verify expired":        {unsigned, []string{"verify", "--jwks", keys}, 1, "NOT VALID: the token has expired"},
		"missing keys":          {unsigned, []string{"verify", "--jwks", filepath.Join(dir, "x")}, 1, "no such file"},
		"unreachable server":    {unsigned, []string{"verify", "--jwks", "http://127.0.0.1:1/"}, 1, "connection refused"},
	} {
		status, output := command(t, test.input, append([]string{"token"}, test.args...)...)
		wantOutput(t, name, status, test.status, output, test.want)
	}
	status, output := command(t, "", "ca")
	wantOutput(t, "ca before serve", status, 1, output, "--gateway-tls-listen")
}

func TestInWords_UsesLargestUnit(t *testing.T) {
	t.Parallel()
	for distance, want := range map[time.Duration]string{
		0: "0 seconds", 119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes", 119 * time.Minute: "119 minutes",
		2 * time.Hour: "2 hours", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 729 * 24 * time.Hour: "729 days", 730 * 24 * time.Hour: "2 years",
	} {
		if got := inWords(distance); got != want {
			t.Errorf("inWords(%s): got %q, want %q", distance, got, want)
		}
	}
}
