package source

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// ProjectFile is the name of the file that describes the functions of a folder. It differs
// from jeton.yaml, the configuration of the server.
const ProjectFile = "functions.yaml"

// maxProject is the maximum size of a project file in bytes.
const maxProject = 1 << 20

// A Project describes the functions of a folder.
type Project struct {
	// Namespace is the name of the functions' namespace; empty means DefaultNamespace.
	Namespace string `yaml:"namespace,omitempty"`
	// Region is empty for the default region of the server.
	Region    string              `yaml:"region,omitempty"`
	Functions map[string]Function `yaml:"functions"`
}

// DefaultNamespace is the namespace of functions whose project file names none.
const DefaultNamespace = "default"

// A Function describes one function of a project. Fields other than Runtime and Handler may be
// zero, and then the setting of the function on the server stays.
type Function struct {
	// Dir is the folder of the code, relative to the project file; empty for its folder.
	Dir     string `yaml:"dir,omitempty"`
	Runtime string `yaml:"runtime,omitempty"`
	Handler string `yaml:"handler,omitempty"`
	// Privacy is public or private; empty means private for a new function.
	Privacy     string        `yaml:"privacy,omitempty"`
	Description string        `yaml:"description,omitempty"`
	Memory      uint32        `yaml:"memory,omitempty"`
	Timeout     time.Duration `yaml:"timeout,omitempty"`
	MinScale    *uint32       `yaml:"min_scale,omitempty"`
	MaxScale    *uint32       `yaml:"max_scale,omitempty"`
	HTTPOption  string        `yaml:"http_option,omitempty"`
	// Env replaces the variables of the function; nil keeps them. Secrets are names of
	// environment variables of the command, which become secret variables.
	Env     map[string]string `yaml:"env,omitempty"`
	Secrets []string          `yaml:"secrets,omitempty"`
}

// ErrNoProject means that a folder has no project file.
var ErrNoProject = errors.New("no " + ProjectFile)

// LoadProject reads the project file of a folder. It returns ErrNoProject if there is none.
func LoadProject(dir string) (Project, error) {
	path := filepath.Join(dir, ProjectFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Project{}, ErrNoProject
	}
	if err != nil {
		return Project{}, fmt.Errorf("read project file: %w", err)
	}
	if info.Size() > maxProject {
		return Project{}, fmt.Errorf("read %s: larger than %d bytes", path, maxProject)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return Project{}, fmt.Errorf("read project file: %w", err)
	}
	p, err := ParseProject(content)
	if err != nil {
		return Project{}, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

// ParseProject parses a project file. Unknown keys are errors.
func ParseProject(content []byte) (Project, error) {
	var p Project
	if err := yaml.UnmarshalWithOptions(content, &p, yaml.Strict()); err != nil {
		return Project{}, err
	}
	if len(p.Functions) == 0 {
		return Project{}, errors.New("it has no functions: add 'functions:' with the name of a function below it")
	}
	for name, f := range p.Functions {
		if f.Dir != "" && !filepath.IsLocal(f.Dir) {
			return Project{}, fmt.Errorf("function %s: dir %q must be a folder below the project file", name, f.Dir)
		}
		if f.Privacy != "" && f.Privacy != "public" && f.Privacy != "private" {
			return Project{}, fmt.Errorf("function %s: privacy %q must be public or private", name, f.Privacy)
		}
	}
	return p, nil
}

// Names returns the names of the functions in order.
func (p Project) Names() []string { return slices.Sorted(maps.Keys(p.Functions)) }

const projectHeader = "# The functions of this folder, for 'jeton deploy' and 'jeton dev'.\n"

// Save writes the project file of a folder.
func (p Project) Save(dir string) error {
	content, err := yaml.Marshal(p)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ProjectFile), append([]byte(projectHeader), content...), 0o644) //nolint:gosec // Source code is readable.
	}
	if err != nil {
		return fmt.Errorf("write project file: %w", err)
	}
	return nil
}

// FunctionName returns a valid name of a function for a folder: its name in lower case with
// hyphens for other characters.
func FunctionName(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		absolute = dir
	}
	var name strings.Builder
	for _, c := range strings.ToLower(filepath.Base(absolute)) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			name.WriteRune(c)
		case name.Len() > 0 && !strings.HasSuffix(name.String(), "-"):
			name.WriteByte('-')
		}
	}
	found := name.String()
	if found = strings.Trim(found[:min(len(found), grammar.MaxFunctionName)], "-"); found == "" {
		return "function"
	}
	return found
}
