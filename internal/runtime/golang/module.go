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
	// maxModFile is the largest go.mod that is read, in bytes.
	maxModFile = 1 << 20
	// maxNamed is how many misplaced go.mod files an error names.
	maxNamed = 5
)

// A module is the one that the handler's function is in.
type module struct {
	// dir is its root on disk; path is its name in import paths.
	dir, path string
	// pkg is the name of the package at its root.
	pkg string
	// downloads tells that it needs modules that the archive does not bring.
	downloads bool
}

// qualified returns the name by which Go programs would call the function.
func (m *module) qualified(function string) string { return m.pkg + "." + function }

// readModule reads the go.mod of the handler's folder.
func readModule(source, handlerDir, goVersion string) (*module, error) {
	m := &module{dir: filepath.Join(source, filepath.FromSlash(handlerDir))}
	text, err := readModFile(filepath.Join(m.dir, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noModule(source, handlerDir)
	}
	if err != nil {
		return nil, err
	}
	// What the parser does not know it leaves to the go command, which may
	// have learned it since.
	file, err := modfile.ParseLax("go.mod", text, nil)
	if err != nil {
		return nil, runtime.Failf("go.mod cannot be read: %v", err)
	}
	if file.Module == nil || file.Module.Mod.Path == "" {
		return nil, runtime.Failf("go.mod names no module: begin it with a line such as: module myfunction")
	}
	if file.Go != nil && version.Compare("go"+file.Go.Version, "go"+goVersion) > 0 {
		return nil, runtime.Failf("go.mod asks for Go %s, and this server has Go %s: lower the go line, or have the server updated",
			file.Go.Version, goVersion)
	}
	m.path = file.Module.Mod.Path
	m.downloads = len(file.Require) > 0 && !m.vendored(file)
	return m, checkReplacements(text, handlerDir)
}

// vendored tells whether the go command takes modules from the folder vendor by
// itself.
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

// checkReplacements refuses replacements by folders outside the archive: they
// would compile files of this server, or of another function, into this one.
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

// noModule says where the go.mod files are, if they are elsewhere.
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

// findModules returns the first folders with a go.mod.
func findModules(source string) []string {
	var found []string
	// The walk serves an error message: what it cannot read it leaves out.
	//nolint:nilerr // see above
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
