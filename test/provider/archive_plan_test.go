package provider_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	archiveHasChanged = "The archive has changed since the plan"
	otherCode         = "The archive differs from the code of the function"
)

// If the archive changes between a saved plan and its apply, the apply does what was
// planned, or returns an error that says why it cannot.
func TestSavedPlan_ArchiveChangesBeforeApply(t *testing.T) {
	t.Parallel()
	path := func(c *cli) string { return filepath.Join(c.dir, "function.zip") }
	ways := map[string]func(c *cli) error{
		"other code":      func(c *cli) error { c.archive("third"); return nil },
		"the prior code":  func(c *cli) error { c.archive("first"); return nil },
		"removed":         func(c *cli) error { return os.Remove(path(c)) },
		"a folder":        func(c *cli) error { return errors.Join(os.Remove(path(c)), os.Mkdir(path(c), 0o700)) },
		"empty":           func(c *cli) error { return os.Truncate(path(c), 0) },
		"truncated":       func(c *cli) error { return os.Truncate(path(c), 40) },
		"a dangling link": func(c *cli) error { return errors.Join(os.Remove(path(c)), os.Symlink("gone", path(c))) },
	}
	const uploaded, nothing, other = "uploaded", "nothing to upload", "only the other attribute"
	tests := map[string]struct {
		// second is whether the archive changes before the plan, and description
		// whether the other attribute does.
		second, description bool
		want                map[string]string
	}{
		"of the code": {true, false, map[string]string{
			"other code": uploaded, "the prior code": nothing, "removed": "no such file", "a folder": "not a regular file",
			"empty": "file is empty", "truncated": "build step", "a dangling link": "no such file",
		}},
		"of an attribute": {false, true, map[string]string{
			"other code": archiveHasChanged, "the prior code": other, "removed": other, "a folder": other, "empty": other,
			"truncated": archiveHasChanged, "a dangling link": other,
		}},
		"of both": {true, true, map[string]string{
			"other code": uploaded, "the prior code": other, "removed": "no such file", "a folder": "not a regular file",
			"empty": "file is empty", "truncated": "build step", "a dangling link": "no such file",
		}},
	}
	for name, test := range tests {
		for way, change := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				w := start(t)
				c, first := w.deployTracked(t, "")
				if test.second {
					c.archive("second")
				}
				if test.description {
					c.configure(tracked(`  description = "new"`))
				}
				planned := unfolded(c.must("plan", "-no-color", "-out=plan"))
				if shown := strings.Contains(planned, "zip_digest"); shown != test.second {
					t.Errorf("the plan contains an upload: %t, want %t", shown, test.second)
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
					t.Errorf("the file's name is not as configured:\n%s", output)
				}
				switch want := test.want[way]; want {
				case uploaded:
					if status != 0 || uploads != 1 || c.attribute(functionAddress, "zip_digest") == first {
						t.Errorf("got exit status %d, %d uploads, want 0 and 1:\n%s", status, uploads, output)
					}
				case nothing, other:
					description := c.attribute(functionAddress, "description")
					if status != 0 || uploads != 0 || c.attribute(functionAddress, "zip_digest") != first || test.description != (description == "new") {
						t.Errorf("got exit status %d, %d uploads, description %q, want 0 and 0:\n%s", status, uploads, description, output)
					}
				default:
					if status != 1 || !strings.Contains(unfolded(output), want) {
						t.Errorf("got exit status %d, want 1 and %q in:\n%s", status, want, output)
					}
					if want != "build step" {
						w.expectRequests(t, 0, "PATCH", "")
					}
				}
				// A new plan with the current code succeeds in all cases.
				_ = os.RemoveAll(path(c))
				c.archive("second")
				c.apply()
				c.expectEmptyPlan()
			})
		}
	}
}

// If the last refresh saw another archive, the first apply of new code and another
// attribute may fail, and the second one succeeds.
func TestArchive_ChangesAfterLastRefresh(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, "")
	c.apply("-refresh-only")
	c.archive("second")
	c.configure(tracked(`  description = "new"`))
	apply := []string{"apply", "-no-color", "-auto-approve", "-refresh=false"}
	if output, status := c.run(apply...); status == 0 && len(w.front.Requests("PUT", "/archives/")) == 1 {
		t.Errorf("apply did not upload the changed code, and succeeded:\n%s", output)
	} else if status != 0 {
		if !strings.Contains(unfolded(output), archiveHasChanged) {
			t.Errorf("got exit status %d, want %q in:\n%s", status, archiveHasChanged, output)
		}
		c.must(apply...)
	}
	w.expectRequests(t, 2, "PUT", "/archives/")
	c.expectEmptyPlan()
}

// The times and the order of an archive's entries are not part of its content.
func TestArchive_RepackedIsNoChange(t *testing.T) {
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
	c.configure(tracked(`  description = "new"`))
	w.apply(c, 0, 0)
	c.expectAttribute(functionAddress, "zip_digest", digest)
	// With a state of a version that did not compare contents, the service's code is
	// compared.
	c.withoutPrivate()
	repack(c, 3, "handler.js", "other.js")
	c.configure(tracked(`  description = "newer"`))
	w.apply(c, 0, 0)
	// An import compares with the service's code.
	c.reimport(functionAddress)
	repack(c, 4, "other.js", "handler.js")
	c.expectNoPlannedUpload()
	w.apply(c, 0, 0)
	repack(c, 5, "handler.js", "other.js", "third.js")
	w.apply(c, 1, 1)
}

// expectNoPlannedUpload fails if a plan contains an upload. It saves the plan.
func (c *cli) expectNoPlannedUpload() {
	c.t.Helper()
	if output := c.must("plan", "-no-color", "-out=plan"); strings.Contains(output, "zip_digest") || strings.Contains(output, otherCode) {
		c.t.Errorf("the plan contains an upload of the same code:\n%s", output)
	}
}

// The plan after an import shows whether code will be uploaded.
func TestArchive_PlanAfterImportShowsUpload(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, _ := w.deployTracked(t, "")
	c.reimport(functionAddress)
	c.expectNoPlannedUpload()
	// The archive changes after the plan was saved.
	c.archive("second")
	output := c.must("apply", "-no-color", "plan")
	expectOnce(t, output, otherCode)
	c.expectEmptyPlan()
	w.expectRequests(t, 2, "PUT", "/archives/")
	c.reimport(functionAddress)
	c.archive("third")
	expectOnce(t, c.must("plan", "-no-color"), otherCode)
	w.apply(c, 1, 1)
}

// withoutPrivate removes the provider's private data from the state.
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
