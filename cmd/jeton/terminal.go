package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/jeton-dev/jeton/internal/printable"
)

// isTerminal reports whether a stream of a command is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// The colours of a terminal, as ANSI escape sequences.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	normal = "\x1b[0m"
)

// A terminal writes messages, with colours and a progress bar if it is a terminal and NO_COLOR is
// not set (https://no-color.org). It is safe for concurrent use.
type terminal struct {
	out         io.Writer
	interactive bool
	colours     bool

	mu sync.Mutex
	// bar is the length of the progress bar that the last line shows; zero for none.
	bar int
}

func newTerminal(out io.Writer) *terminal {
	interactive := isTerminal(out)
	return &terminal{out: out, interactive: interactive, colours: interactive && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// colour returns a text in a colour, if the terminal has colours.
func (t *terminal) colour(code, text string) string {
	if !t.colours || text == "" {
		return text
	}
	return code + text + normal
}

// printf writes one line, in place of a progress bar.
func (t *terminal) printf(format string, arguments ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	fmt.Fprintf(t.out, format+"\n", arguments...)
}

// block writes the lines of a text with a prefix.
func (t *terminal) block(prefix, text string) {
	for line := range strings.Lines(text) {
		t.printf("%s", t.colour(dim, prefix+printable.Text(strings.TrimRight(line, "\r\n"))))
	}
}

// barCells is the number of characters of a full progress bar.
const barCells = 30

// progress shows a progress bar on a terminal, and nothing elsewhere.
func (t *terminal) progress(label string, done, total int) {
	if !t.interactive || total == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	filled := barCells * done / total
	line := fmt.Sprintf("%s [%s%s] %3d %%", label, strings.Repeat("=", filled), strings.Repeat(" ", barCells-filled), 100*done/total)
	t.bar = len(line)
	fmt.Fprint(t.out, line)
}

// clear removes the progress bar. The caller holds mu.
func (t *terminal) clear() {
	if t.bar > 0 {
		fmt.Fprintf(t.out, "\r%s\r", strings.Repeat(" ", t.bar))
		t.bar = 0
	}
}
