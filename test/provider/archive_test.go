package provider_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// tracked returns the configuration of a deployed function without zip_hash, whose
// archive is tracked by its content.
func tracked(more string) string {
	return nodeFunction("  zip_file = \"function.zip\"\n  deploy   = true\n" + more)
}

// deployTracked applies the configuration of a tracked function with an archive, and
// returns the folder and the archive's digest.
func (w *world) deployTracked(t *testing.T, more string) (c *cli, digest string) {
	t.Helper()
	c = w.commandLine(t, tracked(more))
	digest = c.archive("first")
	w.apply(c, 1, 1)
	return c, digest
}

// archive writes the archive of a function that answers with a text to the folder,
// and returns the archive's digest.
func (c *cli) archive(answer string) string {
	c.t.Helper()
	path := writeArchive(c.t, "handler.js", "module.exports.handle = () => \""+answer+"\";\n")
	content := string(must(os.ReadFile(path)))
	c.write("function.zip", content)
	digest := sha256.Sum256([]byte(content))
	return hex.EncodeToString(digest[:])
}

// apply applies the configuration, and fails unless there were that many uploads and
// deployments and the next plan is empty.
func (w *world) apply(c *cli, uploads, deployments int) {
	c.t.Helper()
	w.front.Forget()
	c.apply()
	w.expectRequests(c.t, uploads, "PUT", "/archives/")
	w.expectRequests(c.t, deployments, "POST", "/deploy$")
	c.expectEmptyPlan()
}

// The official provider does not read the archive, so that it does not upload changed
// code.
func TestArchive_ContentIsTracked(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, first := w.deployTracked(t, "")
	c.expectAttribute(functionAddress, "zip_digest", first)

	second := c.archive("second")
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		if output, status := c.run("plan", "-no-color", "-detailed-exitcode", refresh); status != 2 || !strings.Contains(output, "zip_digest") {
			t.Errorf("plan %s with other code: got exit status %d, want 2 and zip_digest in:\n%s", refresh, status, output)
		}
	}
	w.apply(c, 1, 1)
	c.expectAttribute(functionAddress, "zip_digest", second)

	// Another path of the same code is no change.
	c.configure(strings.ReplaceAll(tracked(""), "function.zip", "./function.zip"))
	w.apply(c, 0, 0)

	// A machine without the archive changes another attribute.
	c.withoutArchive()
	c.configure(strings.ReplaceAll(tracked(`  description = "new"`), "function.zip", "./function.zip"))
	w.apply(c, 0, 0)
	c.expectAttribute(functionAddress, "zip_digest", second)
}

// withoutArchive removes the archive.
func (c *cli) withoutArchive() {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.dir, "function.zip")); err != nil {
		c.t.Fatal(err)
	}
}

// One machine plans without the archive, and another one builds it and applies the
// plan.
func TestArchive_BuiltBetweenPlanAndApply(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, "")
	c.configure(tracked(`  description = "new"`))
	c.withoutArchive()
	c.must("plan", "-no-color", "-out=plan")
	second := c.archive("second")
	c.must("apply", "-no-color", "plan")
	c.expectAttribute(functionAddress, "zip_digest", second)
	c.expectEmptyPlan()
	// Without the archive and without a change, the plan is empty.
	c.withoutArchive()
	c.expectEmptyPlan()
}

func TestArchive_FailedUploadIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, "")
	c.archive("second")
	w.front.Answer(1, "PUT", "/archives/", 403, `{"message":"the upload is refused"}`)
	c.expectFailure("the upload is refused")
	w.apply(c, 1, 1)
}

// With zip_hash the content is not compared, because archives of the same code may
// differ.
func TestArchive_HashReplacesContent(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, `  zip_hash = "1"`)
	c.expectAttribute(functionAddress, "zip_digest", "")
	c.archive("second")
	c.expectEmptyPlan()
	c.configure(tracked(`  zip_hash = "2"`))
	w.apply(c, 1, 1)
	// Remove zip_hash, and add it again.
	c.configure(tracked(""))
	w.apply(c, 1, 1)
	c.configure(tracked(`  zip_hash = "2"`))
	w.apply(c, 1, 1)
}

// A state of the official provider has no digest. The first refresh stores the
// archive's digest, and the content is tracked from then on.
func TestArchive_StateOfOfficialProvider(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, first := w.deployTracked(t, "")
	c.write("terraform.tfstate", strings.ReplaceAll(c.read("terraform.tfstate"), `"zip_digest": "`+first+`"`, `"zip_digest": null`))
	c.expectEmptyPlan()
	// A change of another attribute without a refresh does not upload the archive.
	c.configure(tracked(`  description = "new"`))
	w.front.Forget()
	c.apply("-refresh=false")
	w.expectRequests(t, 0, "PUT", "")
	c.expectEmptyPlan()
	c.apply("-refresh-only")
	c.expectAttribute(functionAddress, "zip_digest", first)
	c.archive("second")
	w.apply(c, 1, 1)
}

// The official provider deploys an imported function again, even if its code is the
// same.
func TestArchive_ImportUploadsOnlyOtherCode(t *testing.T) {
	t.Parallel()
	for name, hash := range map[string]string{"content": "", "hash": `  zip_hash = "1"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c, _ := w.deployTracked(t, hash)
			c.reimport(functionAddress)
			w.apply(c, 0, 0)
			c.reimport(functionAddress)
			c.archive("second")
			w.apply(c, 1, 1)
		})
	}
}

// An archive whose upload after an import succeeded, but whose deployment failed, is
// deployed by the next apply.
func TestArchive_FailedDeploymentAfterImport(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, "")
	c.reimport(functionAddress)
	c.archive("second")
	w.front.Answer(1, "POST", "/deploy$", 409, `{"message":"the builder is unavailable"}`)
	c.expectFailure("the builder is unavailable")
	w.apply(c, 1, 1)
}

func TestArchive_BuiltByTheApply(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, "")
	digest := c.archive("first")
	if err := os.Rename(filepath.Join(c.dir, "function.zip"), filepath.Join(c.dir, "built.zip")); err != nil {
		t.Fatal(err)
	}
	c.configure(tracked("  depends_on = [terraform_data.build]") + `
resource "terraform_data" "build" {
  provisioner "local-exec" { command = "cp built.zip function.zip" }
}
`)
	w.apply(c, 1, 1)
	c.expectAttribute(functionAddress, "zip_digest", digest)
}

// The function has no archive at first, and the added archive exists only after the
// plan.
func TestArchive_AddedAfterThePlan(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.apply()
	c.configure(tracked(""))
	c.must("plan", "-no-color", "-out=plan")
	digest := c.archive("first")
	c.must("apply", "-no-color", "plan")
	c.expectAttribute(functionAddress, "zip_digest", digest)
	c.expectEmptyPlan()
}

// The official provider fails because it reads the archive that is no longer
// configured. The function keeps its code.
func TestArchive_CanBeRemovedFromConfiguration(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, "")
	c.configure(nodeFunction("  deploy = true"))
	w.apply(c, 0, 0)
	c.expectAttribute(functionAddress, "zip_digest", "")
	id := strings.TrimPrefix(c.attribute(functionAddress, "id"), "fr-par/")
	if f := must(w.api.GetFunction(&function.GetFunctionRequest{FunctionID: id})); f.Status != function.FunctionStatusReady {
		t.Errorf("got status %q, want ready", f.Status)
	}
}
