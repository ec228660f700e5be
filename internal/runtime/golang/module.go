package golang

import (
	"errors"
	"fmt"
	"go/version"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/jeton-dev/jeton/internal/runtime"
)

const (
	// maxModFile is the maximum size of go.mod in bytes.
	maxModFile = 1 << 20
	// maxNamed is the number of misplaced go.mod files that an error names.
	maxNamed = 5
)

// A module is the Go module that contains the handler's function.
type module struct {
	// dir is the path of its root folder, and path its module path.
	dir, path string
	// pkg is the name of the package at its root.
	pkg string
	// downloads reports whether it requires modules that the archive does not contain.
	downloads bool
}

// qualified returns the name of the function with its package.
func (m *module) qualified(function string) string { return m.pkg + "." + function }

// readModule reads the go.mod in the folder of the handler.
func readModule(source, handlerDir, goVersion string) (*module, error) {
	m := &module{dir: filepath.Join(source, filepath.FromSlash(handlerDir))}
	text, err := readModFile(filepath.Join(m.dir, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noModule(source, handlerDir)
	}
	if err != nil {
		return nil, err
	}
	// ParseLax ignores unknown directives, which a newer go command may know.
	file, err := modfile.ParseLax("go.mod", text, nil)
	if err != nil {
		return nil, runtime.Failf("go.mod cannot be read: %v", err)
	}
	if file.Module == nil || file.Module.Mod.Path == "" {
		return nil, runtime.Failf("go.mod has no module line: begin it with a line such as: module myfunction")
	}
	if file.Go != nil && version.Compare("go"+file.Go.Version, "go"+goVersion) > 0 {
		return nil, runtime.Failf("go.mod requires Go %s, and this server has Go %s: lower the go line, or ask the operator to update Go",
			file.Go.Version, goVersion)
	}
	m.path = file.Module.Mod.Path
	m.downloads = len(file.Require) > 0 && !m.vendored(file)
	return m, checkReplacements(text, handlerDir)
}

// vendored reports whether the go command takes modules from the folder vendor by default.
func (m *module) vendored(file *modfile.File) bool {
	if file.Go == nil || version.Compare("go"+file.Go.Version, "go1.14") < 0 {
		return false
	}
	info, err := os.Stat(filepath.Join(m.dir, "vendor"))
	return err == nil && info.IsDir()
}

func readModFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open go.mod: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxModFile+1))
	if err != nil {
		return nil, runtime.Failf("go.mod cannot be read: it is not a file")
	}
	if len(text) > maxModFile {
		return nil, runtime.Failf("go.mod is larger than %d bytes", maxModFile)
	}
	return text, nil
}

// checkReplacements refuses replacements by folders outside of the archive, which could
// compile files of the server or of another function into this one.
func checkReplacements(text []byte, handlerDir string) error {
	file, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return runtime.Failf("go.mod cannot be read: %v", err)
	}
	for _, replace := range file.Replace {
		target := replace.New.Path
		if replace.New.Version != "" {
			continue
		}
		if path.IsAbs(target) || !filepath.IsLocal(path.Join(handlerDir, target)) {
			return runtime.Failf("go.mod replaces %s by %s, which is not in the archive", replace.Old.Path, target)
		}
	}
	return nil
}

// noModule returns the error for a missing go.mod, which names the go.mod files elsewhere.
func noModule(source, handlerDir string) error {
	place := "at the root of the archive"
	if handlerDir != "" {
		place = "in the folder " + handlerDir
	}
	found := findModules(source)
	switch len(found) {
	case 0:
		return runtime.Failf("there is no go.mod %s: make one with: go mod init myfunction", place)
	case 1:
		return runtime.Failf("there is no go.mod %s, but there is one in %s: put that folder's content at the root, or name it in the handler, as in %s/Handle",
			place, found[0], found[0])
	}
	return runtime.Failf("there is no go.mod %s, and the archive has several modules (%s): name the folder of one in the handler, as in %s/Handle",
		place, strings.Join(found, ", "), found[0])
}

// findModules returns the first maxNamed folders with a go.mod.
func findModules(source string) []string {
	var found []string
	//nolint:nilerr // The result is for an error message, so unreadable folders are ignored.
	_ = fs.WalkDir(os.DirFS(source), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case entry.IsDir() && entry.Name() == "vendor":
			return fs.SkipDir
		case entry.Name() == "go.mod":
			found = append(found, path.Dir(name))
		}
		if len(found) == maxNamed {
			return fs.SkipAll
		}
		return nil
	})
	return found
}
