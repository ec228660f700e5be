package grammar

import (
	"errors"
	"fmt"
	"go/token"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The languages of handlers, as the API writes them.
const (
	Node   = "Node"
	Python = "Python"
	PHP    = "PHP"
	Go     = "Go"
	Rust   = "Rust"
)

// MaxHandlerBytes is the longest handler that is accepted. Scaleway names no
// limit; this one is the length of a file name.
const MaxHandlerBytes = 255

// goRoot is the handler of the oldest Go runtimes: the package at the root,
// whose function is then Handle.
const goRoot = "."

// A Handler is where in an archive the function to call is.
type Handler struct {
	// Dir is the folder, relative to the archive's root and separated by
	// slashes; empty for the root itself.
	Dir string
	// File is the name of the source file without its extension; empty for
	// Go and Rust, whose functions are found by their package.
	File string
	// Function is the name of the function in the source.
	Function string
}

var (
	scriptIdentifier = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*$`)
	plainIdentifier  = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)
)

// ParseHandler reads a handler's name: "[dir/]file.func" for Node, Python and
// PHP, "[dir/]Func" for Go and "[dir/]func" for Rust, from Scaleway's
// documentation. The folder is a plain relative path: "./", ".." and absolute
// paths are errors. The error says what is expected.
func ParseHandler(language, text string) (Handler, error) {
	h, err := parseHandler(language, text)
	if err != nil {
		return Handler{}, fmt.Errorf("handler %q: %w", shorten(text), err)
	}
	return h, nil
}

func parseHandler(language, text string) (Handler, error) {
	if len(text) > MaxHandlerBytes {
		return Handler{}, fmt.Errorf("is longer than %d bytes", MaxHandlerBytes)
	}
	if language == Go && text == goRoot {
		return Handler{Function: "Handle"}, nil
	}
	dir, name := path.Split(text)
	if err := checkDir(dir); err != nil {
		return Handler{}, err
	}
	h := Handler{Dir: strings.TrimSuffix(dir, "/"), Function: name}
	switch language {
	case Go:
		return h, checkGo(name)
	case Rust:
		return h, checkRust(name)
	case Node, Python, PHP:
		return h.splitFile(language)
	}
	return Handler{}, fmt.Errorf("language %q is unknown", language)
}

func checkGo(function string) error {
	if !token.IsIdentifier(function) || !token.IsExported(function) {
		return errors.New("want the name of an exported Go function, such as Handle or folder/Handle")
	}
	return nil
}

func checkRust(function string) error {
	if !plainIdentifier.MatchString(function) {
		return errors.New("want the name of a Rust function, such as handle or folder/handle")
	}
	return nil
}

// splitFile parts "file.func" at its last dot: a file's name may have dots, a
// function's never has.
func (h Handler) splitFile(language string) (Handler, error) {
	identifier := plainIdentifier
	if language == Node {
		identifier = scriptIdentifier
	}
	dot := strings.LastIndexByte(h.Function, '.')
	if dot < 0 || !identifier.MatchString(h.Function[dot+1:]) || !plainElement(h.Function[:dot]) {
		return Handler{}, errors.New("want file.function, such as handler.handle or folder/handler.handle")
	}
	h.File, h.Function = h.Function[:dot], h.Function[dot+1:]
	return h, nil
}

func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	for element := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if !plainElement(element) {
			return errors.New("its folder must be a relative path of plain names")
		}
	}
	return nil
}

// plainElement tells whether a file or folder name is made of letters, digits
// and the marks that are usual in source trees, and leads nowhere else.
func plainElement(name string) bool {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.@+", r)
	}
	return name != "" && name != "." && name != ".." && utf8.ValidString(name) && !strings.ContainsFunc(name, odd)
}

func shorten(text string) string {
	if len(text) > MaxHandlerBytes {
		return text[:MaxHandlerBytes] + "..."
	}
	return text
}
