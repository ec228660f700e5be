package source

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// position matches a place in a source file as the toolchains print it: in a function, below the
// folder of its code, or in a build.
var position = regexp.MustCompile(`(?:/home/app/function/|\./|--> |^|[\s("'])([\w][\w./-]*\.(?:[cm]?js|py|php|go|rs))(?::|", line | on line )(\d+)`)

// maxExcerpt is the length of the longest line of an Excerpt in bytes.
const maxExcerpt = 200

// An Excerpt is a line of source code that a message names.
type Excerpt struct {
	// File is the path relative to the folder of the code.
	File string
	Line int
	Text string
}

// String returns the excerpt as FILE:LINE | TEXT.
func (e Excerpt) String() string { return fmt.Sprintf("%s:%d | %s", e.File, e.Line, e.Text) }

// Locate returns the line of a file below dir that a message names first, and whether there is
// one.
func Locate(dir, message string) (Excerpt, bool) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Excerpt{}, false
	}
	defer root.Close()
	for _, match := range position.FindAllStringSubmatch(message, -1) {
		file := filepath.Clean(match[1])
		number, err := strconv.Atoi(match[2])
		if err != nil || !filepath.IsLocal(file) {
			continue
		}
		if text, ok := lineOf(root, file, number); ok {
			return Excerpt{file, number, text}, true
		}
	}
	return Excerpt{}, false
}

func lineOf(root *os.Root, name string, number int) (string, bool) {
	file, err := root.Open(name)
	if err != nil {
		return "", false
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxSource)
	for n := 1; lines.Scan(); n++ {
		if n == number {
			text := strings.TrimSpace(lines.Text())
			return strings.ToValidUTF8(text[:min(len(text), maxExcerpt)], ""), true
		}
	}
	return "", false
}
