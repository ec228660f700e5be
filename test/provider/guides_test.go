package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fenced matches the HCL code blocks of a page: "terraform" marks resources of this
// provider, and "hcl" other code.
var fenced = regexp.MustCompile("(?ms)^```(terraform|hcl)\n(.*?)^```$")

func TestGuides_ContainValidFormattedCode(t *testing.T) {
	t.Parallel()
	w := start(t)
	guides := must(filepath.Glob("../../docs/templates/guides/*.md"))
	if len(guides) != 4 {
		t.Errorf("got %d guides, want 4", len(guides))
	}
	for _, guide := range guides {
		pieces := fenced.FindAllStringSubmatch(string(must(os.ReadFile(guide))), -1)
		if len(pieces) == 0 {
			t.Errorf("%s: got no configuration", guide)
		}
		for _, piece := range pieces {
			kind, configuration := piece[1], piece[2]
			c := w.commandLine(t, configuration)
			if output, status := c.run("fmt", "-no-color", "-check", "-diff"); status != 0 {
				t.Errorf("%s: terraform fmt would change it:\n%s", guide, output)
			}
			if kind == "terraform" {
				c.must("validate", "-no-color")
			} else if !strings.Contains(configuration, "scaleway_iam_") {
				t.Errorf("%s: a configuration of this provider's resources is not marked terraform:\n%s", guide, configuration)
			}
		}
	}
}
