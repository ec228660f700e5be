package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fenced finds the pieces of HCL in a page: those of this provider's resources
// stand behind "terraform", and others behind "hcl".
var fenced = regexp.MustCompile("(?ms)^```(terraform|hcl)\n(.*?)^```$")

// TestGuides: what the guides tell users to write is valid, and written as
// terraform fmt writes it.
func TestGuides(t *testing.T) {
	t.Parallel()
	w := start(t)
	guides := must(filepath.Glob("../../docs/templates/guides/*.md"))
	if len(guides) != 4 {
		t.Errorf("there are %d guides, want 4", len(guides))
	}
	for _, guide := range guides {
		pieces := fenced.FindAllStringSubmatch(string(must(os.ReadFile(guide))), -1)
		if len(pieces) == 0 {
			t.Errorf("%s has no configuration", guide)
		}
		for _, piece := range pieces {
			kind, configuration := piece[1], piece[2]
			c := w.commandLine(t, configuration)
			if output, status := c.run("fmt", "-no-color", "-check", "-diff"); status != 0 {
				t.Errorf("%s: terraform fmt writes it otherwise:\n%s", guide, output)
			}
			if kind == "terraform" {
				c.must("validate", "-no-color")
			} else if !strings.Contains(configuration, "scaleway_iam_") {
				t.Errorf("%s: a configuration of this provider's resources is not validated:\n%s", guide, configuration)
			}
		}
	}
}
