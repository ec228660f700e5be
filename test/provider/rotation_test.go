package provider_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// Callers that read the token from Terraform's output are never refused.
func TestRotation_ReplacesTokenWithoutDowntime(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction("  zip_file = \""+nodeArchive(t)+"\"\n  deploy   = true")+`
resource "scaleway_function_token" "main" {
  function_id = scaleway_function.main.id
  rotation {
    ttl           = "2h"
    early_renewal = "1h"
  }
  lifecycle { create_before_destroy = true }
}

resource "terraform_data" "client" {
  triggers_replace = scaleway_function_token.main.id
  provisioner "local-exec" {
    command     = "./`+callerProgram+` `+w.GatewayURL+` ${scaleway_function.main.domain_name} ${path.module}/used"
    environment = { `+callerToken+` = scaleway_function_token.main.token }
  }
}
`)
	c.caller()
	expectWarnings(t, c.apply(), 0)
	first := c.read("used")
	if life := time.Until(time.Unix(tokenClaims(t, first).Exp, 0)); life < 119*time.Minute || life > 2*time.Hour {
		t.Errorf("got a lifetime of %s, want 2h", life)
	}
	c.env = append(c.env, clockAhead+"=59m")
	c.expectEmptyPlan()

	c.env = append(c.env, clockAhead+"=61m")
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		plan, status := c.run("plan", "-no-color", "-detailed-exitcode", refresh)
		if status != 2 {
			t.Errorf("plan %s: got exit status %d, want 2", refresh, status)
		}
		expectOnce(t, plan, "The function token is replaced because it expires at "+c.attribute(tokenAddress, "expires_at"))
		expectOnce(t, plan, "scaleway_function_token.main must be replaced")
		expectWarnings(t, plan, 1)
	}
	if c.apply("-refresh-only"); !strings.Contains(c.must("state", "show", "-no-color", tokenAddress), "ready_for_renewal = true") {
		t.Error("ready_for_renewal is not true in the state")
	}

	host := c.attribute("scaleway_function.main", "domain_name")
	client := w.keepCalling(t, host, filepath.Join(c.dir, "used"))
	c.apply()
	client.stop(t)
	second := c.read("used")
	if second == first {
		t.Fatal("the client still has the first token")
	}
	w.expectCall(t, host, first, http.StatusForbidden)
	w.expectCall(t, host, second, http.StatusOK)
	c.expectEmptyPlan()

	// Terraform is not run in time.
	c.env = append(c.env, clockAhead+"=10h")
	expectOnce(t, c.must("plan", "-no-color"), "The function token is replaced because it expired at ")
	c.destroy()
}

// keptCalling counts the calls of a function that is called until stop.
type keptCalling struct {
	cancel         context.CancelFunc
	ended          chan struct{}
	calls, refused atomic.Int64
}

// keepCalling calls with the token in the file. A caller that is refused reads the
// file once more, because the token may have changed.
func (w *world) keepCalling(t *testing.T, host, file string) *keptCalling {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &keptCalling{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(k.ended)
		for ctx.Err() == nil {
			if before := string(must(os.ReadFile(file))); !w.opens(ctx, host, before) {
				if after := string(must(os.ReadFile(file))); after == before || !w.opens(ctx, host, after) {
					k.refused.Add(1)
				}
			}
			k.calls.Add(1)
		}
	}()
	t.Cleanup(func() { cancel(); <-k.ended })
	return k
}

// opens reports whether the function admits the token, or the context has ended.
func (w *world) opens(ctx context.Context, host, token string) bool {
	status, err := call(ctx, w.GatewayURL, host, token)
	return ctx.Err() != nil || (err == nil && status == http.StatusOK)
}

func (k *keptCalling) stop(t *testing.T) {
	t.Helper()
	k.cancel()
	<-k.ended
	if k.calls.Load() < 10 || k.refused.Load() != 0 {
		t.Errorf("got %d refusals of %d calls, want 0 of many", k.refused.Load(), k.calls.Load())
	}
}

func TestRotation_ArgumentsThatReplaceToken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from, to string
		action   plancheck.ResourceActionType
	}{
		"another ttl":               {`rotation { ttl = "2h" }`, `rotation { ttl = "3h" }`, plancheck.ResourceActionReplace},
		"ttl in other words":        {`rotation { ttl = "2h" }`, `rotation { ttl = "120m" }`, plancheck.ResourceActionUpdate},
		"another early renewal":     {"rotation {\n ttl = \"2h\"\n early_renewal = \"1h\"\n}", "rotation {\n ttl = \"2h\"\n early_renewal = \"30m\"\n}", plancheck.ResourceActionUpdate},
		"no rotation any more":      {`rotation { ttl = "2h" }`, ``, plancheck.ResourceActionReplace},
		"of one that never expires": {``, `rotation { ttl = "2h" }`, plancheck.ResourceActionReplace},
		"of one that lives longer":  {`expires_at = "2040-01-31T12:00:00Z"`, `rotation { ttl = "2h" }`, plancheck.ResourceActionReplace},
		"of one that expires soon":  {`expires_at = "2040-01-31T12:00:00Z"`, "rotation {\n ttl = \"200000h\"\n early_renewal = \"1h\"\n}", plancheck.ResourceActionUpdate},
		"nothing":                   {`rotation { ttl = "2h" }`, `rotation { ttl = "2h" }`, plancheck.ResourceActionNoop},
	}
	w := start(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var kept compare.ValueComparer = compare.ValuesSame()
			if test.action == plancheck.ResourceActionReplace {
				kept = compare.ValuesDiffer()
			}
			value := statecheck.CompareValue(kept)
			token := tfjsonpath.New("token")
			named := strings.NewReplacer(`"tests"`, `"tests-`+strings.ReplaceAll(name, " ", "-")+`"`)
			var ready knownvalue.Check = knownvalue.Null()
			if strings.Contains(test.to, "rotation") {
				ready = knownvalue.Bool(false)
			}
			w.run(t,
				resource.TestStep{
					Config:            w.config("%s", named.Replace(namespaceToken(test.from))),
					ConfigStateChecks: []statecheck.StateCheck{value.AddStateValue(tokenAddress, token)},
				},
				resource.TestStep{
					Config: w.config("%s", named.Replace(namespaceToken(test.to))),
					ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction(tokenAddress, test.action),
					}},
					ConfigStateChecks: []statecheck.StateCheck{
						value.AddStateValue(tokenAddress, token),
						statecheck.ExpectKnownValue(tokenAddress, tfjsonpath.New("ready_for_renewal"), ready),
					},
				},
			)
		})
	}
}
