package source

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/grammar"
)

// A Detected is what the files of a folder say about a function.
type Detected struct {
	// Languages has the languages of the files, the most likely first. Several are likely if
	// the second is not much less likely: Ambiguous reports that.
	Languages []string
	Ambiguous bool
	// Handlers has the possible handlers of the first language, the most likely first. Only
	// the first is likely unless HandlersAmbiguous.
	Handlers          []string
	HandlersAmbiguous bool
}

// A language describes how the code of a language is recognized.
type language struct {
	name string
	// markers are files that only projects of the language have.
	markers []string
	// extensions are those of source files with handlers.
	extensions []string
	// folders are searched in addition to the folder itself.
	folders []string
	// functions match the definitions of functions that can be handlers; the first group
	// with text is the name.
	functions []*regexp.Regexp
	// file means that a handler starts with the name of its file.
	file bool
}

var languages = []language{
	{
		name: grammar.Node, markers: []string{"package.json"}, extensions: []string{".js", ".mjs", ".cjs"}, file: true,
		functions: []*regexp.Regexp{
			regexp.MustCompile(`(?m)^\s*(?:module\.)?exports\.([A-Za-z_$][\w$]*)\s*=`),
			regexp.MustCompile(`(?m)^\s*export\s+(?:async\s+)?function\s*\*?\s*([A-Za-z_$][\w$]*)`),
			regexp.MustCompile(`(?m)^\s*export\s+(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=`),
			regexp.MustCompile(`(?m)^\s*(?:export|module\.exports\s*=)\s*\{\s*([A-Za-z_$][\w$]*)`),
		},
	},
	{
		name: grammar.Python, markers: []string{"requirements.txt", "pyproject.toml", "Pipfile"}, extensions: []string{".py"}, file: true,
		functions: []*regexp.Regexp{regexp.MustCompile(`(?m)^(?:async\s+)?def\s+([A-Za-z]\w*)\s*\(`)},
	},
	{
		name: grammar.PHP, markers: []string{"composer.json"}, extensions: []string{".php"}, file: true,
		functions: []*regexp.Regexp{regexp.MustCompile(`(?m)^\s*function\s+([A-Za-z_]\w*)\s*\(`)},
	},
	{
		name: grammar.Go, markers: []string{"go.mod"}, extensions: []string{".go"},
		functions: []*regexp.Regexp{regexp.MustCompile(`(?m)^func\s+([A-Z]\w*)\s*\(\s*\w+\s+http\.ResponseWriter\s*,`)},
	},
	{
		name: grammar.Rust, markers: []string{"Cargo.toml"}, extensions: []string{".rs"}, folders: []string{"src"},
		functions: []*regexp.Regexp{regexp.MustCompile(`(?m)^\s*pub\s+async\s+fn\s+([a-z_]\w*)\s*[(<]`)},
	},
}

// preferredNames and preferredFiles are the usual names of handlers and of their files.
var (
	preferredNames = []string{"handle", "handler", "main"}
	preferredFiles = []string{"handler", "index", "main", "app", "function"}
)

// maxSource is the maximum number of bytes of a file that Detect reads.
const maxSource = 1 << 20

// Detect returns the language and the handler of the code in a folder. It returns no languages
// if the folder has no code of a supported language.
func Detect(dir string) (Detected, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Detected{}, err
	}
	defer root.Close()
	files := root.FS()
	scores := map[string]int{}
	for _, l := range languages {
		if score := l.score(files); score > 0 {
			scores[l.name] = score
		}
	}
	var found Detected
	for name := range scores {
		found.Languages = append(found.Languages, name)
	}
	slices.SortFunc(found.Languages, func(a, b string) int { return cmp.Or(scores[b]-scores[a], strings.Compare(a, b)) })
	if len(found.Languages) == 0 {
		return found, nil
	}
	found.Ambiguous = len(found.Languages) > 1 && scores[found.Languages[0]] == scores[found.Languages[1]]
	found.Handlers, found.HandlersAmbiguous = Handlers(dir, found.Languages[0])
	return found, nil
}

// score returns 2 for a marker and 1 for a source file at the root.
func (l language) score(files fs.FS) int {
	score := 0
	for _, marker := range l.markers {
		if _, err := fs.Stat(files, marker); err == nil {
			score = 2
		}
	}
	if len(l.sources(files)) > 0 {
		score++
	}
	return score
}

// sources returns the paths of the source files that can have a handler.
func (l language) sources(files fs.FS) []string {
	var found []string
	for _, folder := range append([]string{"."}, l.folders...) {
		entries, err := fs.ReadDir(files, folder)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			name := entry.Name()
			if entry.Type().IsRegular() && slices.Contains(l.extensions, path.Ext(name)) && !strings.HasPrefix(name, ".") && !isTest(name) {
				found = append(found, path.Join(folder, name))
			}
		}
	}
	return found
}

// isTest reports whether a file has tests, according to the conventions of its language.
func isTest(name string) bool {
	base := strings.TrimSuffix(name, path.Ext(name))
	return strings.HasSuffix(base, "_test") || strings.HasSuffix(base, ".test") || strings.HasSuffix(base, ".spec") ||
		strings.HasPrefix(base, "test_") || strings.HasSuffix(base, ".config")
}

// A candidate is a function that can be the handler. Lower ranks are more likely.
type candidate struct {
	handler string
	rank    int
}

// Handlers returns the possible handlers of the code in a folder, the most likely first, and
// whether several are equally likely.
func Handlers(dir, name string) (handlers []string, ambiguous bool) {
	i := slices.IndexFunc(languages, func(l language) bool { return l.name == name })
	root, err := os.OpenRoot(dir)
	if i < 0 || err != nil {
		return nil, false
	}
	defer root.Close()
	l, files := languages[i], root.FS()
	var all []candidate
	for _, file := range l.sources(files) {
		info, err := fs.Stat(files, file)
		if err != nil || info.Size() > maxSource {
			continue
		}
		text, err := fs.ReadFile(files, file)
		if err == nil {
			all = append(all, l.candidates(file, string(text))...)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.rank - b.rank })
	for _, c := range all {
		if !slices.Contains(handlers, c.handler) {
			handlers = append(handlers, c.handler)
		}
	}
	return handlers, len(handlers) > 1 && all[0].rank == all[1].rank
}

func (l language) candidates(file, text string) []candidate {
	var found []candidate
	for _, pattern := range l.functions {
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			name, handler := match[1], match[1]
			rank := rankOf(preferredNames, strings.ToLower(name)) * 10
			if l.file {
				base := strings.TrimSuffix(file, path.Ext(file))
				handler = base + "." + name
				rank += rankOf(preferredFiles, base)
			}
			if _, err := grammar.ParseHandler(l.name, handler); err == nil {
				found = append(found, candidate{handler, rank})
			}
		}
	}
	return found
}

func rankOf(preferred []string, name string) int {
	if i := slices.Index(preferred, name); i >= 0 {
		return i
	}
	return len(preferred)
}
