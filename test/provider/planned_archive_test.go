package provider_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const archiveHasChanged = "The archive has changed since the plan"

// TestSavedPlan_ArchiveChangesBeforeTheApply: whatever becomes of the archive between
// a saved plan and its apply, what was planned is done, or an error says why not.
func TestSavedPlan_ArchiveChangesBeforeTheApply(t *testing.T) {
	t.Parallel()
	path := func(c *cli) string { return filepath.Join(c.dir, "function.zip") }
	ways := map[string]func(c *cli) error{
		"other code":           func(c *cli) error { c.archive("third"); return nil },
		"the prior code":       func(c *cli) error { c.archive("first"); return nil },
		"removed":              func(c *cli) error { return os.Remove(path(c)) },
		"a folder":             func(c *cli) error { return errorsOf(os.Remove(path(c)), os.Mkdir(path(c), 0o700)) },
		"empty":                func(c *cli) error { return os.Truncate(path(c), 0) },
		"cut off":              func(c *cli) error { return os.Truncate(path(c), 40) },
		"a link to what is no": func(c *cli) error { return errorsOf(os.Remove(path(c)), os.Symlink("gone", path(c))) },
	}
	const uploaded, nothing, other = "uploaded", "nothing to upload", "the other attribute alone"
	tests := map[string]struct {
		// second says that the archive had changed already when the plan was made.
		second, description bool
		want                map[string]string
	}{
		"of the code": {true, false, map[string]string{
			"other code": uploaded, "the prior code": nothing, "removed": "no such file", "a folder": "not a regular file",
			"empty": "file is empty", "cut off": "build step", "a link to what is no": "no such file",
		}},
		"of an attribute": {false, true, map[string]string{
			"other code": archiveHasChanged, "the prior code": other, "removed": other, "a folder": other, "empty": other,
			"cut off": archiveHasChanged, "a link to what is no": other,
		}},
		"of both": {true, true, map[string]string{
			"other code": uploaded, "the prior code": other, "removed": "no such file", "a folder": "not a regular file",
			"empty": "file is empty", "cut off": "build step", "a link to what is no": "no such file",
		}},
	}
	for name, test := range tests {
		for way, change := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				w := start(t)
				c := w.commandLine(t, tracked(""))
				first := c.archive("first")
				w.apply(c, 1, 1)
				if test.second {
					c.archive("second")
				}
				if test.description {
					c.write("main.tf", tracked(`  description = "new"`))
				}
				planned := unfolded(c.must("plan", "-no-color", "-out=plan"))
				if shown := strings.Contains(planned, "zip_digest"); shown != test.second {
					t.Errorf("the plan shows an upload: %t, want %t", shown, test.second)
				}
				if err := change(c); err != nil {
					t.Fatal(err)
				}
				w.front.Forget()
				output, status := c.run("apply", "-no-color", "plan")
				uploads := len(w.front.Requests("PUT", "/archives/"))
				if strings.Contains(output, "inconsistent") {
					t.Fatalf("Terraform reports a bug of the provider:\n%s", output)
				}
				if strings.Contains(output, "Function.zip") {
					t.Errorf("the name of the file is not as configured:\n%s", output)
				}
				switch want := test.want[way]; want {
				case uploaded:
					if status != 0 || uploads != 1 || c.attribute(functionAddress, "zip_digest") == first {
						t.Errorf("exit status %d, %d uploads\n%s", status, uploads, output)
					}
				case nothing, other:
					description := c.attribute(functionAddress, "description")
					if status != 0 || uploads != 0 || c.attribute(functionAddress, "zip_digest") != first || test.description != (description == "new") {
						t.Errorf("exit status %d, %d uploads, description %q\n%s", status, uploads, description, output)
					}
				default:
					if status != 1 || !strings.Contains(unfolded(output), want) {
						t.Errorf("exit status %d, want %q in\n%s", status, want, output)
					}
					if built := want == "build step"; !built {
						w.expectRequests(t, 0, "PATCH", "")
					}
				}
				// Whatever happened, a new plan with the code at hand is carried out.
				_ = os.RemoveAll(path(c))
				c.archive("second")
				c.must("apply", "-no-color", "-auto-approve")
				c.expectEmptyPlan()
			})
		}
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestApplyWithoutRefresh: where the last refresh saw another archive, an apply of the
// code and of an attribute together is refused once, and then carried out.
func TestApplyWithoutRefresh(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
	c.must("apply", "-no-color", "-auto-approve", "-refresh-only")
	c.archive("second")
	c.write("main.tf", tracked(`  description = "new"`))
	apply := []string{"apply", "-no-color", "-auto-approve", "-refresh=false"}
	if output, status := c.run(apply...); status == 0 && len(w.front.Requests("PUT", "/archives/")) == 1 {
		t.Errorf("changed code was not uploaded, and nothing said so:\n%s", output)
	} else if status != 0 {
		if !strings.Contains(unfolded(output), archiveHasChanged) {
			t.Errorf("exit status %d\n%s", status, output)
		}
		c.must(apply...)
	}
	w.expectRequests(t, 2, "PUT", "/archives/")
	c.expectEmptyPlan()
}

// TestRepackedArchiveIsNoChange: the times and the order of an archive's entries are
// not its content.
func TestRepackedArchiveIsNoChange(t *testing.T) {
	t.Parallel()
	repack := func(c *cli, minute int, names ...string) {
		t.Helper()
		var packed bytes.Buffer
		z := zip.NewWriter(&packed)
		for _, name := range names {
			f := must(z.CreateHeader(&zip.FileHeader{
				Name: name, Method: zip.Deflate, Modified: time.Date(2026, 7, 3, 13, minute, 0, 0, time.UTC),
			}))
			must(fmt.Fprintf(f, "module.exports.handle = () => %q;\n", name))
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		c.write("function.zip", packed.String())
	}
	w := start(t)
	c := w.commandLine(t, tracked(""))
	repack(c, 1, "handler.js", "other.js")
	w.apply(c, 1, 1)
	digest := c.attribute(functionAddress, "zip_digest")
	repack(c, 2, "other.js", "handler.js")
	c.expectEmptyPlan()
	c.write("main.tf", tracked(`  description = "new"`))
	w.apply(c, 0, 0)
	if got := c.attribute(functionAddress, "zip_digest"); got != digest {
		t.Errorf("the digest of the code in service was %s and is %s", digest, got)
	}
	// A state from before content was compared: the service is asked.
	c.withoutPrivate()
	repack(c, 3, "handler.js", "other.js")
	c.write("main.tf", tracked(`  description = "newer"`))
	w.apply(c, 0, 0)
	// An import compares with what the service has.
	id := c.attribute(functionAddress, "id")
	c.must("state", "rm", functionAddress)
	c.must("import", "-no-color", functionAddress, id)
	repack(c, 4, "other.js", "handler.js")
	if output := c.must("plan", "-no-color"); strings.Contains(output, "zip_digest") || strings.Contains(output, otherCode) {
		t.Errorf("an upload of the same code is planned:\n%s", output)
	}
	w.apply(c, 0, 0)
	repack(c, 5, "handler.js", "other.js", "third.js")
	w.apply(c, 1, 1)
}

const otherCode = "The archive differs from the code of the function"

// TestImportPlansUploadOfOtherCodeOnly: the plan after an import says whether code
// will be uploaded.
func TestImportPlansUploadOfOtherCodeOnly(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, tracked(""))
	c.archive("first")
	w.apply(c, 1, 1)
	id := c.attribute(functionAddress, "id")
	c.must("state", "rm", functionAddress)
	c.must("import", "-no-color", functionAddress, id)
	if output := c.must("plan", "-no-color", "-out=plan"); strings.Contains(output, "zip_digest") || strings.Contains(output, otherCode) {
		t.Errorf("an upload of the same code is planned:\n%s", output)
	}
	// The file of the saved plan changes.
	c.archive("second")
	output := c.must("apply", "-no-color", "plan")
	expectOnce(t, output, otherCode)
	c.expectEmptyPlan()
	w.expectRequests(t, 2, "PUT", "/archives/")
	c.must("state", "rm", functionAddress)
	c.must("import", "-no-color", functionAddress, id)
	c.archive("third")
	expectOnce(t, c.must("plan", "-no-color"), otherCode)
	w.apply(c, 1, 1)
}

// withoutPrivate removes what the provider keeps beside the state.
func (c *cli) withoutPrivate() {
	c.t.Helper()
	lines := strings.Split(c.read("terraform.tfstate"), "\n")
	kept := lines[:0]
	for _, line := range lines {
		if !strings.Contains(line, `"private":`) {
			kept = append(kept, line)
		}
	}
	c.write("terraform.tfstate", strings.Join(kept, "\n"))
}
