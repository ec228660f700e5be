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

// The languages of handlers, spelled as in the API.
const (
	Node   = "Node"
	Python = "Python"
	PHP    = "PHP"
	Go     = "Go"
	Rust   = "Rust"
)

// MaxHandlerBytes is the maximum length of a handler, in bytes. Scaleway documents no
// limit; this is the maximum length of a file name.
const MaxHandlerBytes = 255

// goRoot is the default handler of the oldest Go runtimes: the function Handle of the
// package at the root of the archive.
const goRoot = "."

// A Handler locates the function to call in an archive.
type Handler struct {
	// Dir is the folder relative to the archive's root, separated by slashes; empty for
	// the root.
	Dir string
	// File is the name of the source file without its extension; empty for Go and Rust,
	// whose handlers name a package instead.
	File string
	// Function is the name of the function in the source.
	Function string
}

var (
	scriptIdentifier = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*$`)
	plainIdentifier  = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)
)

// ParseHandler parses a handler: "[dir/]file.func" for Node, Python and PHP, "[dir/]Func"
// for Go and "[dir/]func" for Rust, as in Scaleway's documentation. The folder must be a
// relative path without "." and ".."; the error states the expected form.
func ParseHandler(language, text string) (Handler, error) {
	h, err := parseHandler(language, text)
	if err != nil {
		return Handler{}, fmt.Errorf("handler %q: %w", shorten(text), err)
	}
	return h, nil
}

func parseHandler(language, text string) (Handler, error) {
	if len(text) > MaxHandlerBytes {
		return Handler{}, fmt.Errorf("must be at most %d bytes", MaxHandlerBytes)
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
	return Handler{}, fmt.Errorf("unknown language %q", language)
}

func checkGo(function string) error {
	if !token.IsIdentifier(function) || !token.IsExported(function) {
		return errors.New("must be the name of an exported Go function, such as Handle or folder/Handle")
	}
	return nil
}

func checkRust(function string) error {
	if !plainIdentifier.MatchString(function) {
		return errors.New("must be the name of a Rust function, such as handle or folder/handle")
	}
	return nil
}

// splitFile splits "file.func" at the last dot: file names may contain dots, function
// names cannot.
func (h Handler) splitFile(language string) (Handler, error) {
	identifier := plainIdentifier
	if language == Node {
		identifier = scriptIdentifier
	}
	dot := strings.LastIndexByte(h.Function, '.')
	if dot < 0 || !identifier.MatchString(h.Function[dot+1:]) || !plainElement(h.Function[:dot]) {
		return Handler{}, errors.New("must be file.function, such as handler.handle or folder/handler.handle")
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
			return errors.New("its folder must be a relative path without . and .. elements, of letters, digits and _-.@+ characters")
		}
	}
	return nil
}

// plainElement reports whether a file or folder name has only letters, digits and the
// characters "_-.@+", and is neither "." nor "..".
func plainElement(name string) bool {
	invalid := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.@+", r)
	}
	return name != "" && name != "." && name != ".." && utf8.ValidString(name) && !strings.ContainsFunc(name, invalid)
}

func shorten(text string) string {
	if len(text) > MaxHandlerBytes {
		return text[:MaxHandlerBytes] + "..."
	}
	return text
}
