package rust

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

var (
	//go:embed main.rs.tmpl
	mainText string
	//go:embed Cargo.toml.tmpl
	manifestText string

	mainTemplate     = template.Must(template.New("main.rs").Parse(mainText))
	manifestTemplate = template.Must(template.New("Cargo.toml").Parse(manifestText))
)

// writeProgram generates a crate that serves the function in a folder of the author's
// crate, with a copy of its Cargo.lock, and returns the name of the folder.
func (c *crate) writeProgram(function string) (string, error) {
	name, err := c.newFolder()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(c.dir, name)
	values := map[string]string{"Name": name, "Package": c.name, "Function": function}
	return name, errors.Join(
		execute(manifestTemplate, filepath.Join(dir, "Cargo.toml"), values),
		execute(mainTemplate, filepath.Join(dir, "main.rs"), values),
		copyLock(filepath.Join(c.dir, lockFile), filepath.Join(dir, lockFile)),
	)
}

// newFolder creates a folder with an unused name.
func (c *crate) newFolder() (string, error) {
	for name := "jeton_main"; ; name += "_" {
		err := os.Mkdir(filepath.Join(c.dir, name), 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}

func execute(t *template.Template, path string, values map[string]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, values), f.Close())
}

func copyLock(from, to string) error {
	text, err := tool.ReadDescription(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return runtime.Failf("%s cannot be read: it is not a file, or too large", lockFile)
	}
	return os.WriteFile(to, text, 0o644)
}
