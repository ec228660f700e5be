package compose_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages parses the Dockerfile as BuildKit does.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "deploy", "docker", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range parsed.Warnings {
		t.Errorf("the parser warns: %s", warning.Short)
	}
	all, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDockerfile_HasAStageForEachImage(t *testing.T) {
	t.Parallel()
	var names []string
	for _, stage := range stages(t) {
		names = append(names, stage.Name)
	}
	// Without a target, Docker builds the last stage.
	want := []string{"build", "debian", "jeton", "jeton-runtime-node", "jeton-runtime-python", "jeton-runtime-php", "jeton-runtime-go", "jeton-runtime-rust", "server"}
	if !slices.Equal(names, want) {
		t.Errorf("got the stages %q, want %q", names, want)
	}
}

func TestDockerfile_CopiesFromEarlierStages(t *testing.T) {
	t.Parallel()
	var earlier []string
	for _, stage := range stages(t) {
		copied := false
		for _, command := range stage.Commands {
			c, ok := command.(*instructions.CopyCommand)
			if !ok || c.From == "" {
				continue
			}
			copied = copied || slices.Contains(c.SourcePaths, "/jeton")
			if !slices.Contains(earlier, c.From) {
				t.Errorf("stage %s copies from %q, which is no earlier stage", stage.Name, c.From)
			}
		}
		if built := stage.Name == "build" || stage.Name == "debian"; copied == built {
			t.Errorf("stage %s: copies the program: %v, want %v", stage.Name, copied, !built)
		}
		earlier = append(earlier, stage.Name)
	}
}

// The images for Kubernetes have to pass the Pod Security Standard restricted.
func TestDockerfile_ImagesForKubernetesRunAsAUser(t *testing.T) {
	t.Parallel()
	for _, stage := range stages(t) {
		if !strings.HasPrefix(stage.Name, "jeton") {
			continue
		}
		user, entry := "", ""
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.UserCommand:
				user = c.User
			case *instructions.EntrypointCommand:
				entry = strings.Join(c.CmdLine, " ")
			}
		}
		if user != "65532:65532" || entry != "/usr/local/bin/jeton" {
			t.Errorf("stage %s runs %q as %q", stage.Name, entry, user)
		}
	}
}
