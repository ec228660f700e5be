package provider_test

import (
	"os"
	"path/filepath"
	"testing"
)

// The examples of the documentation need no other file than an archive.
func TestExamples_CanBeApplied(t *testing.T) {
	t.Parallel()
	w := start(t)
	var files []string
	for _, pattern := range []string{
		"ephemeral-resources/*/ephemeral-resource.tf", "data-sources/scaleway_function*/data-source.tf",
		"functions/*/function.tf", "resources/*/resource.tf",
	} {
		found := must(filepath.Glob("../../examples/" + pattern))
		if len(found) == 0 {
			t.Errorf("no example matches %s", pattern)
		}
		files = append(files, found...)
	}
	// The examples use the same names, so they run one after another.
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(filepath.Dir(file)))+" "+filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			c := w.commandLine(t, string(must(os.ReadFile(file))))
			c.archive("an example")
			expectWarnings(t, c.apply(), 0)
			c.expectEmptyPlan()
			c.destroy()
		})
	}
}
