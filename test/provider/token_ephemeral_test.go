package provider_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// ephemeralRun returns the configuration of a private function, and of an ephemeral
// token with which a command calls it.
func (w *world) ephemeralRun(archive string) string {
	return nodeFunction("  zip_file = \""+archive+"\"\n  deploy   = true") + `
ephemeral "scaleway_function_token" "run" {
  function_id = scaleway_function.main.id
  description = "for one run"
  ttl         = "30m"
}

resource "terraform_data" "call" {
  provisioner "local-exec" {
    command     = "./` + callerProgram + ` ` + w.GatewayURL + ` ${scaleway_function.main.domain_name} ${path.module}/used"
    environment = { ` + callerToken + ` = ephemeral.scaleway_function_token.run.token }
  }
}
`
}

// The official provider has no ephemeral token. An ephemeral token is admitted by a
// private function during the run, is revoked at its end, and is in no state, plan or
// log.
func TestEphemeralToken_IsValidDuringRun(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, w.ephemeralRun(nodeArchive(t)))
	c.caller()
	c.env = append(c.env, "TF_LOG_PROVIDER=TRACE", "TF_LOG_PATH=log")
	before := time.Now()
	printed := c.apply()
	token := c.read("used")
	claims := tokenClaims(t, token)
	if life := time.Unix(claims.Exp, 0).Sub(before); life < 29*time.Minute || life > 31*time.Minute {
		t.Errorf("got a lifetime of %s, want 30m", life)
	}
	w.expectCall(t, c.attribute("scaleway_function.main", "domain_name"), token, http.StatusForbidden)
	if _, err := w.api.GetToken(&function.GetTokenRequest{TokenID: claims.JTI}); err == nil {
		t.Error("the token still exists after the run")
	}
	if strings.Contains(printed+c.read("log"), token) {
		t.Error("the token is in the output or the log")
	}
	c.expectNowhere(token)

	// A saved plan does not contain the token, which is revoked at the end of plan.
	c.must("plan", "-no-color", "-out=plan", "-replace=terraform_data.call")
	c.write("plan.json", c.must("show", "-json", "plan"))
	made := w.front.Requests("POST", "/tokens$")
	if deleted := w.front.Requests("DELETE", "/tokens/"); len(made) != len(deleted) {
		t.Errorf("got %d tokens created and %d revoked, want the same number", len(made), len(deleted))
	}
	c.must("apply", "-no-color", "plan")
	c.expectNowhere(token)
	c.expectNowhere(c.read("used"))
	c.destroy()
}

// expectNowhere fails if a state or a plan contains the secret.
func (c *cli) expectNowhere(secret string) {
	c.t.Helper()
	// A fragment would be harmful, too, and does not contain escaped characters.
	part := secret[max(0, len(secret)-40):]
	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup", "plan", "plan.json"} {
		if _, err := os.Stat(filepath.Join(c.dir, name)); err != nil {
			continue
		}
		if strings.Contains(c.read(name), part) {
			c.t.Errorf("%s contains the secret", name)
		}
		for file, content := range unzipped(c.read(name)) {
			if strings.Contains(content, part) {
				c.t.Errorf("%s of %s contains the secret", file, name)
			}
		}
	}
}

// The run succeeds with a warning that names the token and its expiry.
func TestEphemeralToken_FailedRevocationWarns(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespace+`
ephemeral "scaleway_function_token" "run" {
  namespace_id = scaleway_function_namespace.main.id
}`)
	w.front.Answer(1, "DELETE", "/tokens/", http.StatusForbidden, `{"message":"no"}`)
	applied := c.apply()
	expectOnce(t, applied, "Cannot revoke the function token of this run")
	text := unfolded(applied)
	if !regexp.MustCompile(`Token fr-par/[0-9a-f-]{36} stays valid until \d{4}-\d\d-\d\dT`).MatchString(text) {
		t.Errorf("the warning does not name the token and its expiry:\n%s", applied)
	}
	// A token that does not exist any more counts as revoked.
	w.front.Answer(1, "DELETE", "/tokens/", http.StatusNotFound, `{"message":"Token was not found"}`)
	expectWarnings(t, c.must("plan", "-no-color"), 0)
}

// A token that does not become ready fails the run and is revoked.
func TestEphemeralToken_ErrorFailsRun(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespace+`
ephemeral "scaleway_function_token" "run" {
  namespace_id = scaleway_function_namespace.main.id
}
# OpenTofu opens nothing that is not used.
resource "terraform_data" "use" {
  provisioner "local-exec" {
    command     = "true"
    environment = { `+callerToken+` = ephemeral.scaleway_function_token.run.token }
  }
}`)
	w.front.Rewrite(10, "POST", "/tokens$", `"status":"ready"`, `"status":"creating"`)
	w.front.Rewrite(10, "GET", "/tokens/", `"status":"ready"`, `"status":"error"`)
	output, status := c.run("apply", "-no-color", "-auto-approve")
	if status == 0 || !strings.Contains(output, "The function token did not become ready") {
		t.Errorf("got exit status %d, want 1:\n%s", status, output)
	}
	if err := w.expectTokens(0); err != nil {
		t.Error(err)
	}
}

func TestEphemeralToken_RefusesInvalidArguments(t *testing.T) {
	t.Parallel()
	w := start(t)
	const id = `"fr-par/11111111-1111-4111-8111-111111111111"`
	tests := map[string]struct{ arguments, want string }{
		"without a scope": {`ttl = "1h"`, "set function_id or namespace_id"},
		"of two things":   {`function_id = ` + id + "\nnamespace_id = " + id, "remove function_id or namespace_id"},
		"ttl in days":     {"namespace_id = " + id + "\n" + `ttl = "2d"`, `"2d" is not a valid duration: write numbers with the units`},
		"ttl too short":   {"namespace_id = " + id + "\n" + `ttl = "59s"`, `"59s" is too short: write 1m or more`},
		"ttl too long":    {"namespace_id = " + id + "\n" + `ttl = "25h"`, `"25h" is too long: write 24h or less`},
		"another region":  {"namespace_id = " + id + "\n" + `region = "nl-ams"`, `set region = "fr-par"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.commandLine(t, "ephemeral \"scaleway_function_token\" \"run\" {\n"+test.arguments+"\n}\n")
			output, status := c.run("plan", "-no-color")
			text := unfolded(output)
			if status != 1 || !strings.Contains(text, test.want) {
				t.Errorf("got exit status %d, want 1 and %q in:\n%s", status, test.want, output)
			}
		})
	}
}

// claims are the claims of a token that the tests read.
type claims struct {
	JTI string `json:"jti"`
	Exp int64  `json:"exp"`
}

func tokenClaims(t *testing.T, token string) claims {
	t.Helper()
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the token has %d parts, want 3", len(parts))
	}
	if err := json.Unmarshal(must(decodeSegment(parts[1])), &c); err != nil {
		t.Fatal(err)
	}
	return c
}
