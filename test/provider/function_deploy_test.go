package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/jeton-dev/jeton/test/provider/front"
)

// deployed returns the configuration of a deployed function with zip_hash.
func deployed(archive, hash, more string) string {
	return nodeFunction(fmt.Sprintf("  zip_file = %q\n  zip_hash = %q\n  deploy   = true\n%s", archive, hash, more))
}

// With deploy = true the official provider deploys after every change, although a
// PATCH already deploys.
func TestFunction_DeploysOncePerChange(t *testing.T) {
	t.Parallel()
	w := start(t)
	archive := nodeArchive(t)
	deployments := func(patches, deploys, uploads int, content string) func() {
		return func() {
			for _, patch := range w.expectRequests(t, patches, "PATCH", "/functions/") {
				if !strings.Contains(patch.Body, content) {
					t.Errorf("got request %s, want it to contain %s", patch.Body, content)
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

// The official provider ignores an error of the wait before a deployment, and does
// not deploy.
func TestFunction_FailedWaitFailsApply(t *testing.T) {
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
			// The next apply repeats the upload and the deployment.
			PreConfig: w.front.Forget,
			Config:    w.config("%s", deployed(archive, "2", "")),
			PostApplyFunc: func() {
				w.expectRequests(t, 1, "PUT", "")
				w.expectRequests(t, 1, "POST", "/deploy$")
			},
		},
	)
}

// The official provider replaces the cause by "failed to deploy function".
func TestFunction_ReportsCauseOfFailedDeployment(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.front.Answer(1, "POST", "/deploy$", 409, `{"message":"the builder is unavailable"}`)
	w.run(t,
		resource.TestStep{
			Config:      w.config("%s", deployed(nodeArchive(t), "1", "")),
			ExpectError: regexp.MustCompile(`Cannot deploy the function[\s\S]*409\s+Conflict:\s+the\s+builder\s+is\s+unavailable`),
		},
	)
}

// With the official provider every apply succeeds although the function is in status
// error. Here only the first apply does, with a warning: after an error Terraform would
// replace the new function.
func TestFunction_FailedBuildFailsApplyOfExistingFunction(t *testing.T) {
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
			t.Errorf("%s: got exit status %d, want 1 and the build's error in:\n%s", when, status, output)
		}
	}
	broken("no code at all")
	expectOnce(t, c.apply(), "Warning: The function is not ready")
	id := c.attribute(functionAddress, "id")
	// The plan deploys the function again, and does not replace it.
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		output, status := c.run("plan", "-no-color", "-detailed-exitcode", refresh)
		if text := unfolded(output); status != 2 || !strings.Contains(text, `~ status = "error" -> "ready"`) || strings.Contains(text, "replace") {
			t.Errorf("plan %s: got exit status %d, want 2 and a change of the status in:\n%s", refresh, status, output)
		}
	}
	w.front.Forget()
	refused("the same code")
	w.expectRequests(t, 0, "PUT", "/archives/")
	w.expectRequests(t, 1, "POST", "/deploy$")
	broken("still no code")
	refused("other broken code")

	c.archive("good")
	w.apply(c, 1, 1)
	c.expectAttribute(functionAddress, "id", id)
	c.expectAttribute(functionAddress, "status", "ready")
	// A change breaks a function that is ready, and the next one repairs it.
	broken("no code again")
	refused("broken again")
	c.archive("good")
	w.apply(c, 1, 1)
}

// With a postcondition the first apply fails, too, and the function is not replaced.
func TestFunction_PostconditionFailsFirstApply(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(`  lifecycle {
    postcondition {
      condition     = self.status == "ready"
      error_message = "The function is not ready."
    }
  }`))
	c.write("function.zip", must(readFile(writeArchive(t, "README", "no code at all"))))
	c.expectFailure("Resource postcondition failed")
	id := c.attribute(functionAddress, "id")
	c.archive("good")
	w.apply(c, 1, 1)
	c.expectAttribute(functionAddress, "id", id)
}

// If a deployment fails for a reason other than the code, the next apply deploys again
// without a change of the configuration.
func TestFunction_RetriesFailedDeployment(t *testing.T) {
	t.Parallel()
	for name, hash := range map[string]string{"content": "", "hash": `  zip_hash = "1"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c, _ := w.deployTracked(t, hash)
			// The next refresh reads the status error.
			w.front.Rewrite(1, "GET", "/functions/[0-9a-f]", `"status":"ready"`, `"status":"error"`)
			if output, status := c.run("plan", "-no-color", "-detailed-exitcode"); status != 2 || !strings.Contains(unfolded(output), `~ status = "error" -> "ready"`) {
				t.Errorf("got exit status %d, want 2 and a change of the status in:\n%s", status, output)
			}
			w.front.Forget()
			w.front.Rewrite(2, "GET", "/functions/[0-9a-f]", `"status":"ready"`, `"status":"error"`)
			c.apply()
			w.expectRequests(t, 0, "PUT", "/archives/")
			w.expectRequests(t, 1, "POST", "/deploy$")
			c.expectEmptyPlan()
			// A function that Terraform does not deploy is not planned to change.
			c.configure(strings.ReplaceAll(tracked(hash), "deploy   = true", "deploy   = false"))
			c.apply()
			w.front.Rewrite(1, "GET", "/functions/[0-9a-f]", `"status":"ready"`, `"status":"error"`)
			expectOnce(t, c.must("plan", "-no-color", "-detailed-exitcode"), "Warning: The function is not ready")
		})
	}
}

// The deployment of a new function without code is a warning, so that Terraform does
// not replace the function.
func TestFunction_DeployWithoutCodeKeepsNewFunction(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction("  deploy = true"))
	expectOnce(t, c.apply(), "Warning: The function has no code to deploy")
	c.expectEmptyPlan()
	c.configure(tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
}

// The archive is checked before the function is created: after an error Terraform would
// replace the function.
func TestFunction_ChecksArchiveBeforeCreation(t *testing.T) {
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

// A change of a function without code sets its status to error, which harms nothing.
func TestFunction_ChangeWithoutCodeWarns(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.apply()
	c.configure(nodeFunction(`  description = "new"`))
	changed := c.apply()
	expectOnce(t, changed, "The function has no code")
	expectWarnings(t, c.must("plan", "-no-color", "-detailed-exitcode"), 0)

	c.configure(nodeFunction("  description = \"new\"\n  deploy = true"))
	failed, status := c.run("apply", "-no-color", "-auto-approve")
	if status != 1 {
		t.Errorf("exit status %d for a deployment without code:\n%s", status, failed)
	}
	expectOnce(t, failed, "The function has no code to deploy")
	c.destroy()
}

// expectNoSecretKey fails if an upload has the API's secret key in a header.
func (w *world) expectNoSecretKey(t *testing.T, upload front.Request) {
	t.Helper()
	for name, values := range upload.Header {
		if strings.Contains(strings.Join(values, " "), w.SecretKey) {
			t.Errorf("header %s of the upload contains the secret key", name)
		}
	}
}
