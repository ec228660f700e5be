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

// tracked is a function with code in service, and no zip_hash.
func tracked(more string) string {
	return nodeFunction("  zip_file = \"function.zip\"\n  deploy   = true\n" + more)
}

// archive puts a zip archive of a function that answers with a text into the
// folder, and returns its digest.
func (c *cli) archive(answer string) string {
	c.t.Helper()
	path := writeArchive(c.t, "handler.js", "module.exports.handle = () => \""+answer+"\";\n")
	content := string(must(os.ReadFile(path)))
	c.write("function.zip", content)
	digest := sha256.Sum256([]byte(content))
	return hex.EncodeToString(digest[:])
}

// apply applies, and fails unless the archive was uploaded and the function
// deployed as often as wanted.
func (w *world) apply(c *cli, uploads, deployments int) {
	c.t.Helper()
	w.front.Forget()
	c.must("apply", "-no-color", "-auto-approve")
	w.expectRequests(c.t, uploads, "PUT", "/archives/")
	w.expectRequests(c.t, deployments, "POST", "/deploy$")
	c.expectEmptyPlan()
}

// TestDefectF9ContentOfTheArchiveIsTracked: the official provider does not look
// into the archive, so that changed code is not uploaded.
func TestDefectF9ContentOfTheArchiveIsTracked(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	first := c.archive("first")
	w.apply(c, 1, 1)
	if got := c.attribute(functionAddress, "zip_digest"); got != first {
		t.Errorf("the digest is %q, want %q", got, first)
	}

	second := c.archive("second")
	for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
		if output, status := c.run("plan", "-no-color", "-detailed-exitcode", refresh); status != 2 || !strings.Contains(output, "zip_digest") {
			t.Errorf("plan %s with other code: exit status %d\n%s", refresh, status, output)
		}
	}
	w.apply(c, 1, 1)
	if got := c.attribute(functionAddress, "zip_digest"); got != second {
		t.Errorf("the digest is %q, want %q", got, second)
	}

	// The same code in another place is no other code.
	c.write("main.tf", strings.ReplaceAll(tracked(""), "function.zip", "./function.zip"))
	w.apply(c, 0, 0)

	// A machine that has not built the code changes something else.
	c.withoutArchive()
	c.write("main.tf", strings.ReplaceAll(tracked(`  description = "new"`), "function.zip", "./function.zip"))
	w.apply(c, 0, 0)
	if got := c.attribute(functionAddress, "zip_digest"); got != second {
		t.Errorf("without the file the digest is %q, want %q", got, second)
	}
}

// withoutArchive removes the archive.
func (c *cli) withoutArchive() {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.dir, "function.zip")); err != nil {
		c.t.Fatal(err)
	}
}

// TestDefectF9ArchiveBuiltAfterThePlan: one machine plans without the code, and
// another one that has built it carries the plan out.
func TestDefectF9ArchiveBuiltAfterThePlan(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
	c.write("main.tf", tracked(`  description = "new"`))
	c.withoutArchive()
	c.must("plan", "-no-color", "-out=plan")
	second := c.archive("second")
	c.must("apply", "-no-color", "plan")
	if got := c.attribute(functionAddress, "zip_digest"); got != second {
		t.Errorf("the digest is %q, want %q", got, second)
	}
	c.expectEmptyPlan()
	// Without a change, nothing is to be carried out.
	c.withoutArchive()
	c.expectEmptyPlan()
}

// TestDefectF9FailedUploadIsPlannedAgain: what was not uploaded is still to be.
func TestDefectF9FailedUploadIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
	c.archive("second")
	w.front.Answer(1, "PUT", "/archives/", 403, `{"message":"the store is shut"}`)
	if output, status := c.run("apply", "-no-color", "-auto-approve"); status != 1 || !strings.Contains(output, "the store is shut") {
		t.Fatalf("exit status %d\n%s", status, output)
	}
	w.apply(c, 1, 1)
}

// TestDefectF9HashStillDecides: with zip_hash the content is not looked at, because
// archives of the same code may differ.
func TestDefectF9HashStillDecides(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(`  zip_hash = "1"`))
	c.archive("first")
	w.apply(c, 1, 1)
	if got := c.attribute(functionAddress, "zip_digest"); got != "" {
		t.Errorf("with zip_hash the digest is %q", got)
	}
	c.archive("second")
	c.expectEmptyPlan()
	c.write("main.tf", tracked(`  zip_hash = "2"`))
	w.apply(c, 1, 1)
	// From one way to the other, and back.
	c.write("main.tf", tracked(""))
	w.apply(c, 1, 1)
	c.write("main.tf", tracked(`  zip_hash = "2"`))
	w.apply(c, 1, 1)
}

// TestDefectF9OfficialState: a state of the official provider has no digest. The
// archive is taken for that of the function at the first refresh, and followed
// from then on.
func TestDefectF9OfficialState(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	first := c.archive("first")
	w.apply(c, 1, 1)
	c.write("terraform.tfstate", strings.ReplaceAll(c.read("terraform.tfstate"), `"zip_digest": "`+first+`"`, `"zip_digest": null`))
	c.expectEmptyPlan()
	// A change of something else, without a look at the server, uploads nothing.
	c.write("main.tf", tracked(`  description = "new"`))
	w.front.Forget()
	c.must("apply", "-no-color", "-auto-approve", "-refresh=false")
	w.expectRequests(t, 0, "PUT", "")
	c.expectEmptyPlan()
	c.must("apply", "-no-color", "-auto-approve", "-refresh-only")
	if got := c.attribute(functionAddress, "zip_digest"); got != first {
		t.Errorf("after a refresh the digest is %q, want %q", got, first)
	}
	c.archive("second")
	w.apply(c, 1, 1)
}

// TestDefectF9ImportUploadsOtherCodeOnly: an import knows no archive, and the
// official provider deploys the function anew after it, whatever its code is.
func TestDefectF9ImportUploadsOtherCodeOnly(t *testing.T) {
	t.Parallel()
	for name, hash := range map[string]string{"content": "", "hash": `  zip_hash = "1"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			c := w.commandLine(t, tracked(hash))
			c.archive("first")
			w.apply(c, 1, 1)
			id := c.attribute(functionAddress, "id")
			again := func() {
				c.must("state", "rm", functionAddress)
				c.must("import", "-no-color", functionAddress, id)
			}
			again()
			w.apply(c, 0, 0)
			again()
			c.archive("second")
			w.apply(c, 1, 1)
		})
	}
}

// TestDefectF9ImportedCodeThatWasNotDeployed: an archive that was uploaded after an
// import, and not deployed because something failed, is not taken for the code in
// service.
func TestDefectF9ImportedCodeThatWasNotDeployed(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
	id := c.attribute(functionAddress, "id")
	c.must("state", "rm", functionAddress)
	c.must("import", "-no-color", functionAddress, id)
	c.archive("second")
	w.front.Answer(1, "POST", "/deploy$", 409, `{"message":"the builder is on strike"}`)
	if output, status := c.run("apply", "-no-color", "-auto-approve"); status != 1 || !strings.Contains(output, "on strike") {
		t.Fatalf("exit status %d\n%s", status, output)
	}
	w.apply(c, 1, 1)
}

// TestDefectF9ArchiveBuiltByTheRun: an archive that only the apply makes is
// uploaded as it is then.
func TestDefectF9ArchiveBuiltByTheRun(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, "")
	digest := c.archive("first")
	if err := os.Rename(filepath.Join(c.dir, "function.zip"), filepath.Join(c.dir, "built.zip")); err != nil {
		t.Fatal(err)
	}
	c.write("main.tf", tracked("  depends_on = [terraform_data.build]")+`
resource "terraform_data" "build" {
  provisioner "local-exec" { command = "cp built.zip function.zip" }
}
`)
	w.apply(c, 1, 1)
	if got := c.attribute(functionAddress, "zip_digest"); got != digest {
		t.Errorf("the digest is %q, want %q", got, digest)
	}
}

// TestDefectF9ArchiveAddedByTheRun: a function that had no archive gets one that
// only the apply makes.
func TestDefectF9ArchiveAddedByTheRun(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, nodeFunction(""))
	c.must("apply", "-no-color", "-auto-approve")
	c.write("main.tf", tracked(""))
	c.must("plan", "-no-color", "-out=plan")
	digest := c.archive("first")
	c.must("apply", "-no-color", "plan")
	if got := c.attribute(functionAddress, "zip_digest"); got != digest {
		t.Errorf("the digest is %q, want %q", got, digest)
	}
	c.expectEmptyPlan()
}

// TestDefectF8ArchiveCanBeRemoved: the official provider fails to stat the archive
// that is no longer named. The function keeps its code.
func TestDefectF8ArchiveCanBeRemoved(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
	c.write("main.tf", nodeFunction("  deploy = true"))
	w.apply(c, 0, 0)
	if got := c.attribute(functionAddress, "zip_digest"); got != "" {
		t.Errorf("without an archive the digest is %q", got)
	}
	id := strings.TrimPrefix(c.attribute(functionAddress, "id"), "fr-par/")
	if f := must(w.api.GetFunction(&function.GetFunctionRequest{FunctionID: id})); f.Status != function.FunctionStatusReady {
		t.Errorf("the function is in status %q, want ready", f.Status)
	}
}
