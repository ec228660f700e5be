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

// The languages of the catalogue, with their values in the API.
const (
	Node   = grammar.Node
	Python = grammar.Python
	PHP    = grammar.PHP
	Go     = grammar.Go
	Rust   = grammar.Rust
)

// The statuses of a runtime, with their values in the API.
const (
	// Available runtimes are supported.
	Available = "available"
	// Deprecated runtimes are supported until their end of support.
	Deprecated = "deprecated"
	// EndOfSupport means that Scaleway accepts no new functions.
	EndOfSupport = "end_of_support"
	// EndOfLife means that Scaleway accepts no changes of functions either.
	EndOfLife = "end_of_life"
)

// A Runtime is a version of a language. The catalogue has the runtimes that Scaleway's
// API listed in recorded traffic of July 2026.
type Runtime struct {
	// Name identifies the runtime in the API, such as "go126".
	Name string
	// Language is one of the constants of this package.
	Language string
	// Version is the version of the language, such as "1.26"; empty for the oldest.
	Version string
	// DefaultHandler is the handler of a function that does not set one.
	DefaultHandler string
	// Status is one of the constants of this package.
	Status string
	// StatusMessage explains the status to users; empty for Available.
	StatusMessage string
	// Extension is the extension of source files, without the dot.
	Extension string
	// CodeSample is an example of a function; empty for Go and Rust, as at Scaleway.
	CodeSample string
}

//go:embed catalogue.tsv samples
var files embed.FS

var catalogue = sync.OnceValue(readCatalogue)

// All returns the runtimes in the order of Scaleway's response.
func All() []Runtime { return slices.Clone(catalogue()) }

// Lookup returns the runtime with a name, and whether there is one.
func Lookup(name string) (Runtime, bool) {
	i := slices.IndexFunc(catalogue(), func(r Runtime) bool { return r.Name == name })
	if i < 0 {
		return Runtime{}, false
	}
	return catalogue()[i], true
}

// readCatalogue panics on an invalid catalogue, which is embedded and tested.
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

// sample returns the code sample for an extension, or "".
func sample(extension string) string {
	text, err := files.ReadFile(path.Join("samples", "handler."+extension))
	if err != nil {
		return ""
	}
	return string(text)
}
