package runtime

import (
	"embed"
	"encoding/csv"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// The languages of the catalogue, as the API writes them.
const (
	Node   = grammar.Node
	Python = grammar.Python
	PHP    = grammar.PHP
	Go     = grammar.Go
	Rust   = grammar.Rust
)

// The statuses of a runtime, as the API writes them.
const (
	// Available runtimes are the ones to use.
	Available = "available"
	// Deprecated runtimes work, and will reach their end of support.
	Deprecated = "deprecated"
	// EndOfSupport means, at Scaleway, no new functions.
	EndOfSupport = "end_of_support"
	// EndOfLife means, at Scaleway, no changes to functions either.
	EndOfLife = "end_of_life"
)

// A Runtime is a version of a language that a function can be written for, as
// Scaleway's API listed it in recorded traffic of July 2026.
type Runtime struct {
	// Name identifies the runtime in the API, such as "go126".
	Name string
	// Language is one of the constants of this package.
	Language string
	// Version is the language's, such as "1.26", and empty for the oldest.
	Version string
	// DefaultHandler is the handler of a function that names none.
	DefaultHandler string
	// Status is one of the constants of this package.
	Status string
	// StatusMessage tells users what the status means for them; it is empty
	// for an available runtime.
	StatusMessage string
	// Extension is that of source files, without the dot.
	Extension string
	// CodeSample is a first function in the language. It is empty for Go and
	// Rust, as it is at Scaleway.
	CodeSample string
}

//go:embed catalogue.tsv samples
var files embed.FS

var catalogue = sync.OnceValue(readCatalogue)

// All returns the runtimes in the order of Scaleway's answer.
func All() []Runtime { return slices.Clone(catalogue()) }

// Lookup returns the runtime of a name.
func Lookup(name string) (Runtime, bool) {
	i := slices.IndexFunc(catalogue(), func(r Runtime) bool { return r.Name == name })
	if i < 0 {
		return Runtime{}, false
	}
	return catalogue()[i], true
}

// readCatalogue panics on a bad catalogue: it is part of the program, and a
// test reads it.
func readCatalogue() []Runtime {
	text, err := files.ReadFile("catalogue.tsv")
	if err != nil {
		panic("runtime catalogue: " + err.Error())
	}
	table := csv.NewReader(strings.NewReader(string(text)))
	table.Comma = '\t'
	table.FieldsPerRecord = 7
	rows, err := table.ReadAll()
	if err != nil {
		panic("runtime catalogue: " + err.Error())
	}
	runtimes := make([]Runtime, len(rows))
	for i, row := range rows {
		runtimes[i] = Runtime{
			Name:           row[0],
			Language:       row[1],
			Version:        row[2],
			DefaultHandler: row[3],
			Status:         row[4],
			StatusMessage:  row[5],
			Extension:      row[6],
			CodeSample:     sample(row[6]),
		}
	}
	return runtimes
}

// sample returns the code sample of a language, or nothing where it has none.
func sample(extension string) string {
	text, err := files.ReadFile(path.Join("samples", "handler."+extension))
	if err != nil {
		return ""
	}
	return string(text)
}
