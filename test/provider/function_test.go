package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/jeton-dev/jeton/test/provider/front"
)

const functionAddress = "scaleway_function.main"

// deployed is a function with code in service.
func deployed(archive, hash, more string) string {
	return nodeFunction(fmt.Sprintf("  zip_file = %q\n  zip_hash = %q\n  deploy   = true\n%s", archive, hash, more))
}

func TestFunction(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{
			Config: w.config("%s", nodeFunction(`
  description                  = "first"
  tags                         = ["b", "a"]
  environment_variables        = { PLAIN = "1" }
  secret_environment_variables = { HIDDEN = "secret-1" }
  memory_limit                 = 512
  timeout                      = 20
  min_scale                    = 0
  max_scale                    = 2
  http_option                  = "redirected"
  sandbox                      = "v1"`)),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("cpu_limit"), knownvalue.Int64Exact(280)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("domain_name"), knownvalue.StringRegexp(regexp.MustCompile(`-main\.functions\.`))),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("region"), knownvalue.StringExact("fr-par")),
			},
		},
		resource.TestStep{
			Config: w.config("%s", nodeFunction("")),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(functionAddress, plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("cpu_limit"), knownvalue.Int64Exact(140)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("max_scale"), knownvalue.Int64Exact(20)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("timeout"), knownvalue.Int64Exact(20)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("http_option"), knownvalue.StringExact("enabled")),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("tags"), knownvalue.ListExact(nil)),
			},
		},
		resource.TestStep{
			ResourceName:            functionAddress,
			ImportState:             true,
			ImportStateVerify:       true,
			ImportStateVerifyIgnore: []string{"deploy"},
		},
	)
}

// TestFunctionURL: a state of the official provider has no URL. That is no change
// to be made, and the next look at the server fills it.
func TestFunctionURL(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.must("apply", "-no-color", "-auto-approve")
	want := "https://" + c.attribute(functionAddress, "domain_name")
	if got := c.attribute(functionAddress, "url"); got != want {
		t.Errorf("the URL is %q, want %q", got, want)
	}
	c.write("terraform.tfstate", strings.ReplaceAll(c.read("terraform.tfstate"), `"url": "`+want+`"`, `"url": null`))
	c.expectEmptyPlan()
	c.write("main.tf", nodeFunction(`  description = "new"`))
	c.must("apply", "-no-color", "-auto-approve", "-refresh=false")
	c.must("apply", "-no-color", "-auto-approve", "-refresh-only")
	if got := c.attribute(functionAddress, "url"); got != want {
		t.Errorf("after a refresh the URL is %q, want %q", got, want)
	}
}

// TestImportOfBareID: an id without a region is one in the provider's.
func TestImportOfBareID(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken("")+nodeFunction("")[len(namespace):])
	c.must("apply", "-no-color", "-auto-approve")
	for _, address := range []string{namespaceAddress, functionAddress, tokenAddress} {
		id := c.attribute(address, "id")
		c.must("state", "rm", address)
		c.must("import", "-no-color", address, strings.TrimPrefix(id, "fr-par/"))
		if got := c.attribute(address, "id"); got != id {
			t.Errorf("%s was imported as %q, want %q", address, got, id)
		}
		c.must("state", "rm", address)
		for _, none := range []string{"main", ""} {
			output, status := c.run("import", "-no-color", address, none)
			if status != 1 || !strings.Contains(unfolded(output), "write it like fr-par/") {
				t.Errorf("exit status %d for the id %q:\n%s", status, none, output)
			}
		}
		c.must("import", "-no-color", address, id)
	}
	c.expectEmptyPlan()
}

// TestDefectF1TagsOnlyChangeIsSent: the official provider never sends a change
// of the tags alone, and plans it again for ever.
func TestDefectF1TagsOnlyChangeIsSent(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(`  tags = ["a"]`))},
		resource.TestStep{
			Config: w.config("%s", nodeFunction(`  tags = ["b", "c"]`)),
			PostApplyFunc: func() {
				patch := w.expectRequests(t, 1, "PATCH", "/functions/")
				if len(patch) == 1 && !strings.Contains(patch[0].Body, `"tags":["b","c"]`) {
					t.Errorf("the request is %s", patch[0].Body)
				}
			},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("tags"), knownvalue.ListExact([]knownvalue.Check{
					knownvalue.StringExact("b"), knownvalue.StringExact("c"),
				})),
			},
		},
	)
}

// TestDefectF2RuntimeIsRead: the official provider does not read the runtime, so
// that an imported function is planned to change, and deployed anew.
func TestDefectF2RuntimeIsRead(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.must("apply", "-no-color", "-auto-approve")
	id := c.attribute(functionAddress, "id")
	c.must("state", "rm", functionAddress)
	c.must("import", "-no-color", functionAddress, id)
	if got := c.attribute(functionAddress, "runtime"); got != "node22" {
		t.Errorf("the imported function has runtime %q, want node22", got)
	}
	c.expectEmptyPlan()
	w.expectRequests(t, 0, "PATCH", "/functions/")
	w.expectRequests(t, 0, "POST", "/deploy$")
	c.must("destroy", "-no-color", "-auto-approve")
}

// TestDefectF3OneDeploymentPerChange: with deploy = true the official provider
// deploys on every change, although a PATCH already does.
func TestDefectF3OneDeploymentPerChange(t *testing.T) {
	t.Parallel()
	w := start(t)
	archive := nodeArchive(t)
	deployments := func(patches, deploys, uploads int, in string) func() {
		return func() {
			for _, patch := range w.expectRequests(t, patches, "PATCH", "/functions/") {
				if !strings.Contains(patch.Body, in) {
					t.Errorf("no %s in the request %s", in, patch.Body)
				}
			}
			w.expectRequests(t, deploys, "POST", "/deploy$")
			for _, upload := range w.expectRequests(t, uploads, "PUT", "") {
				w.expectNoSecretKey(t, upload)
			}
			w.front.Forget()
		}
	}
	w.run(t,
		resource.TestStep{Config: w.config("%s", deployed(archive, "1", "")), PostApplyFunc: deployments(0, 1, 1, "")},
		resource.TestStep{Config: w.config("%s", deployed(archive, "1", `  description = "new"`)), PostApplyFunc: deployments(1, 0, 0, `"description":"new"`)},
		resource.TestStep{Config: w.config("%s", deployed(archive, "2", `  description = "new"`)), PostApplyFunc: deployments(0, 1, 1, "")},
		resource.TestStep{Config: w.config("%s", deployed(archive, "3", `  description = "newer"`)), PostApplyFunc: deployments(1, 0, 1, `"redeploy":true`)},
	)
}

// TestDefectF4WaitErrorFailsTheApply: the official provider forgets an error of
// the wait before a deployment, and neither deploys nor says so.
func TestDefectF4WaitErrorFailsTheApply(t *testing.T) {
	t.Parallel()
	w := start(t)
	archive := nodeArchive(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", deployed(archive, "1", ""))},
		resource.TestStep{
			Config:           w.config("%s", deployed(archive, "2", "")),
			ExpectError:      regexp.MustCompile(`the\s+wait\s+is\s+refused`),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{refuseNextWait{w}}},
		},
		resource.TestStep{
			// What was not done is still to be done.
			PreConfig: w.front.Forget,
			Config:    w.config("%s", deployed(archive, "2", "")),
			PostApplyFunc: func() {
				w.expectRequests(t, 1, "PUT", "")
				w.expectRequests(t, 1, "POST", "/deploy$")
			},
		},
	)
}

// TestDefectF5DestroyWaitsAndReports: the official provider forgets a function
// that it could not delete, and does not wait until one is gone.
func TestDefectF5DestroyWaitsAndReports(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(""))},
		resource.TestStep{
			PreConfig:   func() { w.front.Answer(1, "DELETE", "/functions/[0-9a-f]", 403, `{"message":"not this one"}`) },
			Config:      w.config(namespace),
			ExpectError: regexp.MustCompile(`Cannot delete the function[\s\S]*not this one`),
		},
		resource.TestStep{
			PreConfig: w.front.Forget,
			Config:    w.config(namespace),
			PostApplyFunc: func() {
				w.expectRequests(t, 1, "DELETE", "/functions/[0-9a-f]")
				all := w.front.Requests("", "/functions/[0-9a-f]")
				if last := all[len(all)-1]; last.Method != "GET" {
					t.Errorf("the last request is %s, want a look whether the function is gone", last.Method)
				}
			},
		},
	)
}

// TestDefectF6DeployErrorIsKept: the official provider replaces the cause by
// "failed to deploy function".
func TestDefectF6DeployErrorIsKept(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.front.Answer(1, "POST", "/deploy$", 409, `{"message":"the builder is on strike"}`)
	w.run(t,
		resource.TestStep{
			Config:      w.config("%s", deployed(nodeArchive(t), "1", "")),
			ExpectError: regexp.MustCompile(`Cannot deploy the function[\s\S]*409\s+Conflict:\s+the\s+builder\s+is\s+on\s+strike`),
		},
	)
}

// TestDefectF10FailedBuildFailsTheApply: with the official provider terraform apply
// succeeds with a function that is in error, each time. Here it succeeds once, for a
// new function, which Terraform would replace after an error.
func TestDefectF10FailedBuildFailsTheApply(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	broken := func(content string) {
		t.Helper()
		c.write("function.zip", must(readFile(writeArchive(t, "README", content))))
	}
	refused := func(when string) {
		t.Helper()
		output, status := c.run("apply", "-no-color", "-auto-approve")
		if text := unfolded(output); status != 1 || !strings.Contains(text, "The function is not ready") || !strings.Contains(text, "source code build step") {
			t.Errorf("%s: exit status %d\n%s", when, status, output)
		}
	}
	broken("no code at all")
	expectOnce(t, c.must("apply", "-no-color", "-auto-approve"), "Warning: The function is not ready")
	id := c.attribute(functionAddress, "id")
	// The plan shows that the function is deployed again, and does not replace it.
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		output, status := c.run("plan", "-no-color", "-detailed-exitcode", refresh)
		if text := unfolded(output); status != 2 || !strings.Contains(text, `~ status = "error" -> "ready"`) || strings.Contains(text, "replace") {
			t.Errorf("plan %s: exit status %d\n%s", refresh, status, output)
		}
	}
	w.front.Forget()
	refused("the same code")
	w.expectRequests(t, 0, "PUT", "/archives/")
	w.expectRequests(t, 1, "POST", "/deploy$")
	broken("still no code")
	refused("other code that is broken")

	c.archive("good")
	w.apply(c, 1, 1)
	if got := c.attribute(functionAddress, "id"); got != id {
		t.Errorf("the function was replaced: its id was %s and is %s", id, got)
	}
	if got := c.attribute(functionAddress, "status"); got != "ready" {
		t.Errorf("the status is %q", got)
	}
	// A function that serves calls is broken by a change, and put right by the next.
	broken("no code again")
	refused("broken again")
	c.archive("good")
	w.apply(c, 1, 1)
}

// TestPostconditionFailsTheFirstApply: who wants the first apply to fail as well says
// so, and the function is kept.
func TestPostconditionFailsTheFirstApply(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(`  lifecycle {
    postcondition {
      condition     = self.status == "ready"
      error_message = "The function is not ready."
    }
  }`))
	c.write("function.zip", must(readFile(writeArchive(t, "README", "no code at all"))))
	if output, status := c.run("apply", "-no-color", "-auto-approve"); status != 1 || !strings.Contains(unfolded(output), "Resource postcondition failed") {
		t.Errorf("exit status %d\n%s", status, output)
	}
	id := c.attribute(functionAddress, "id")
	c.archive("good")
	w.apply(c, 1, 1)
	if got := c.attribute(functionAddress, "id"); got != id {
		t.Errorf("the function was replaced: its id was %s and is %s", id, got)
	}
}

// TestFailedDeploymentIsRetried: what failed for a reason outside of the code is
// deployed by the next apply, without a change of the configuration.
func TestFailedDeploymentIsRetried(t *testing.T) {
	t.Parallel()
	for name, hash := range map[string]string{"content": "", "hash": `  zip_hash = "1"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c := w.commandLine(t, tracked(hash))
			c.archive("first")
			w.apply(c, 1, 1)
			// The service says so at the next look at it.
			w.front.Rewrite(1, "GET", "/functions/[0-9a-f]", `"status":"ready"`, `"status":"error"`)
			if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 2 || !strings.Contains(unfolded(output), `~ status = "error" -> "ready"`) {
				t.Errorf("exit status %d\n%s", status, output)
			}
			w.front.Forget()
			w.front.Rewrite(2, "GET", "/functions/[0-9a-f]", `"status":"ready"`, `"status":"error"`)
			c.must("apply", "-no-color", "-auto-approve")
			w.expectRequests(t, 0, "PUT", "/archives/")
			w.expectRequests(t, 1, "POST", "/deploy$")
			c.expectEmptyPlan()
			// Not deployed by Terraform: nothing is planned.
			c.write("main.tf", strings.ReplaceAll(tracked(hash), "deploy   = true", "deploy   = false"))
			c.must("apply", "-no-color", "-auto-approve")
			w.front.Rewrite(1, "GET", "/functions/[0-9a-f]", `"status":"ready"`, `"status":"error"`)
			expectOnce(t, c.must("plan", "-no-color", "-detailed-exitcode"), "Warning: The function is not ready")
		})
	}
}

// TestNewFunctionWithoutCodeIsKept: to deploy a function without code fails, and the
// function is not replaced for it.
func TestNewFunctionWithoutCodeIsKept(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction("  deploy = true"))
	expectOnce(t, c.must("apply", "-no-color", "-auto-approve"), "Warning: The function has no code to deploy")
	c.expectEmptyPlan()
	c.write("main.tf", tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
}

// TestUnusableArchiveMakesNoFunction: the archive is looked at before the function is
// made, which Terraform would replace after the error.
func TestUnusableArchiveMakesNoFunction(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	output, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 || !strings.Contains(unfolded(output), "function.zip: no such file or directory") {
		t.Errorf("exit status %d\n%s", status, output)
	}
	w.expectRequests(t, 0, "POST", "/functions$")
	c.archive("first")
	w.apply(c, 1, 1)
}

// TestChangeOfFunctionWithoutCodeWarns: the service puts a function that has no
// code in error when it is changed, which breaks nothing.
func TestChangeOfFunctionWithoutCodeWarns(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.must("apply", "-no-color", "-auto-approve")
	c.write("main.tf", nodeFunction(`  description = "new"`))
	changed := c.must("apply", "-no-color", "-auto-approve")
	expectOnce(t, changed, "The function has no code")
	expectWarnings(t, c.must("plan", "-no-color", "-detailed-exitcode"), 0)

	c.write("main.tf", nodeFunction("  description = \"new\"\n  deploy = true"))
	failed, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 {
		t.Errorf("exit status %d for a deployment without code:\n%s", status, failed)
	}
	expectOnce(t, failed, "The function has no code to deploy")
	c.must("destroy", "-no-color", "-auto-approve")
}

// TestDefectF11NoTimeoutIsNoCrash: the official provider crashes if the API
// names no timeout.
func TestDefectF11NoTimeoutIsNoCrash(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(""))},
		resource.TestStep{
			PreConfig:          func() { w.front.Rewrite(100, "GET", "/functions/[0-9a-f]", `"timeout":"300s"`, `"timeout":null`) },
			RefreshState:       true,
			ExpectNonEmptyPlan: false,
		},
		resource.TestStep{
			PreConfig: w.front.Forget,
			Config:    w.config("%s", nodeFunction("")),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("timeout"), knownvalue.Int64Exact(300)),
			},
		},
	)
}

// TestDefectF12ProjectIsTheNamespaces: the official provider never fills the
// project of a function, and ignores one that is configured.
func TestDefectF12ProjectIsTheNamespaces(t *testing.T) {
	t.Parallel()
	w := start(t)
	const another = `  project_id = "11111111-1111-4111-8111-111111111112"`
	refused := regexp.MustCompile(`The namespace is in another project`)
	w.run(t,
		resource.TestStep{Config: w.config("%s", nodeFunction(another)), ExpectError: refused},
		resource.TestStep{
			Config: w.config("%s", nodeFunction("")),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("project_id"), knownvalue.StringExact(w.ProjectID)),
				statecheck.ExpectKnownValue(functionAddress, tfjsonpath.New("organization_id"), knownvalue.StringExact(w.OrganizationID)),
			},
		},
		resource.TestStep{Config: w.config("%s", nodeFunction(fmt.Sprintf("  project_id = %q", w.ProjectID)))},
		// The refusal comes with the plan, before anything is destroyed.
		resource.TestStep{Config: w.config("%s", nodeFunction(another)), ExpectError: refused, PlanOnly: true},
	)
}

// expectNoSecretKey is about defect F13, of which package client has the test
// that looks at every header.
func (w *world) expectNoSecretKey(t *testing.T, upload front.Request) {
	t.Helper()
	for name, values := range upload.Header {
		if strings.Contains(strings.Join(values, " "), w.SecretKey) {
			t.Errorf("the upload has the secret key in %s", name)
		}
	}
}
