package golang

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"
)

// mainFile is the name of the file in the folder of the program.
const mainFile = "main.go"

//go:embed program.go.tmpl
var programText string

var programTemplate = template.Must(template.New(mainFile).Parse(programText))

// writeMain puts the program around the function into a folder of the module,
// so that it may import it whatever the module is called, and returns the
// folder's name. The program uses nothing but the standard library, so that it
// builds with a vendor folder too.
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

// newFolder makes a folder whose name the module does not have. It is the same
// for the same module, so that the same source makes the same program.
func (m *module) newFolder() (string, error) {
	for name := "jeton_main"; ; name += "_" {
		err := os.Mkdir(filepath.Join(m.dir, name), 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}
