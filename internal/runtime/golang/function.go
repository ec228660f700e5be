package golang

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/runtime"
)

// maxSyntaxErrors is the number of syntax errors that users see.
const maxSyntaxErrors = 5

// checkFunction checks that the package at the root of the module exports the function, so
// that common mistakes have plain messages. The compiler checks the type.
func (m *module) checkFunction(function string) error {
	pkg, err := m.findPackage()
	if err != nil {
		return err
	}
	m.pkg = pkg.Name
	if pkg.Name == "main" {
		return runtime.Failf("the function is in package main, which no program can import: " +
			"give its package another name and remove func main")
	}
	var exported []string
	for _, name := range pkg.GoFiles {
		names, err := exportedNames(filepath.Join(pkg.Dir, name), name)
		if err != nil {
			return err
		}
		exported = append(exported, names...)
	}
	if !slices.Contains(exported, function) {
		return runtime.Failf("package %s has no exported function %s; it has %s", pkg.Name, function, listed(exported))
	}
	return nil
}

func (m *module) findPackage() (*build.Package, error) {
	target := build.Default
	target.CgoEnabled = false
	pkg, err := target.ImportDir(m.dir, 0)
	var (
		none     *build.NoGoError
		multiple *build.MultiplePackageError
		syntax   scanner.ErrorList
	)
	switch {
	case err == nil:
		return pkg, nil
	case errors.As(err, &none):
		return nil, runtime.Failf("there is no Go file in the folder of go.mod: the function must be in the root folder of the module")
	case errors.As(err, &multiple):
		return nil, runtime.Failf("the files in the folder of go.mod belong to two packages, %s and %s", multiple.Packages[0], multiple.Packages[1])
	case errors.As(err, &syntax):
		return nil, syntaxError(syntax)
	}
	return nil, runtime.Failf("the Go files cannot be read: %s", strings.ReplaceAll(err.Error(), m.dir+"/", ""))
}

// exportedNames returns the names of the functions and variables that a file exports.
func exportedNames(path, name string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	var syntax scanner.ErrorList
	if errors.As(err, &syntax) {
		for _, e := range syntax {
			e.Pos.Filename = name
		}
		return nil, syntaxError(syntax)
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			names = append(names, variables(d)...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !token.IsExported(name) }), nil
}

// variables returns the names of a var declaration, because the handler may name a
// variable of a function type.
func variables(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		if value, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
			for _, name := range value.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

func syntaxError(list scanner.ErrorList) error {
	var lines []string
	for _, e := range list[:min(len(list), maxSyntaxErrors)] {
		e.Pos.Filename = filepath.Base(e.Pos.Filename)
		lines = append(lines, e.Error())
	}
	return runtime.Failf("the code has a syntax error:\n%s", strings.Join(lines, "\n"))
}

func listed(names []string) string {
	const limit = 10
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > limit:
		return strings.Join(names[:limit], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
