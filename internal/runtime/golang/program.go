package golang

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
)

// mainFile is the name of the file of the generated main package.
const mainFile = "main.go"

//go:embed program.go.tmpl
var programText string

var programTemplate = template.Must(template.New(mainFile).Parse(programText))

// writeMain generates a main package that serves the function, and returns the name of its
// folder. The folder is in the module, so that the package can import internal and
// unnamed modules. The package imports only the standard library, so that it builds with
// a vendor folder too.
func (m *module) writeMain(function string) (string, error) {
	name, err := m.newFolder()
	if err != nil {
		return "", err
	}
	f, err := os.Create(filepath.Join(m.dir, name, mainFile))
	if err != nil {
		return "", err
	}
	err = programTemplate.Execute(f, map[string]string{"Package": m.path, "Function": function})
	return name, errors.Join(err, f.Close())
}

// newFolder creates a folder with an unused name. The name depends on the source only, so
// that builds are reproducible.
func (m *module) newFolder() (string, error) {
	for name := "jeton_main"; ; name += "_" {
		err := os.Mkdir(filepath.Join(m.dir, name), 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}
