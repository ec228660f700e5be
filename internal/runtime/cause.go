package runtime

import (
	"regexp"
	"strings"
)

// A Cause finds in what a process writes to standard error, line by line, why it
// ended: the class and the first line of the message of an exception, or the text
// of a panic, and not a line of the stack trace behind it. It is not safe for
// concurrent use.
type Cause struct {
	phrasing phrasing
	text     string
	// known tells that what follows up to the next frame belongs to text, such as
	// the other lines of a message; next that the next line is the text; framed that
	// the line before was a frame.
	known, next, framed bool
}

// A phrasing is how the programs of a language report their end.
type phrasing struct {
	// report matches a line that says why, and in its group, if it has one, the
	// part to keep. If the group is empty the next line says it.
	report *regexp.Regexp
	// prefix is put before what is kept.
	prefix string
	// frame matches the lines around it that do not.
	frame *regexp.Regexp
	// final tells that nothing behind a report counts but another report, and framed
	// that the first line behind frames is a report.
	final, framed bool
}

var phrasings = map[string]phrasing{
	// "panic: " and the text; the traces of all goroutines follow.
	Go: {
		report: regexp.MustCompile(`^((?:panic|fatal error): .*?)(?: \[recovered.*\])?$`),
		frame:  regexp.MustCompile(`^(?:\s|goroutine \d|exit status \d|created by |\S+\(.*\)$)`),
		final:  true,
	},
	// The text is in the line behind; older versions have it in the same one.
	Rust: {
		report: regexp.MustCompile(`^thread .* panicked at (?:'(.*)', \S+:\d+:\d+|\S+:\d+:\d+:)$`),
		prefix: "panic: ",
		frame:  regexp.MustCompile(`^(?:\s|note: |stack backtrace:)`),
		final:  true,
	},
	Node: {
		report: regexp.MustCompile(`^((?:Uncaught )?[\w$.]*(?:Error|Exception)(?: \[\w+\])?(?:: .*)?)$`),
		frame:  regexp.MustCompile(`^(?:\s|Node\.js v\d|\}$|\^+$|node:internal/|(?:file://)?/\S+:\d+$|Require stack:|- /)`),
	},
	Python: {
		frame:  regexp.MustCompile(`^(?:\s|Traceback \(most recent call last\):|During handling of the above exception|The above exception was)`),
		framed: true,
	},
	PHP: {
		report: regexp.MustCompile(`^(?:PHP )?((?:Fatal|Parse|Recoverable fatal|Catchable fatal) error: .*)$`),
		frame:  regexp.MustCompile(`^(?:\s|#\d+ |Stack trace:)`),
	},
}

// NewCause returns a Cause for the programs of a language. For a language that is
// not known it is the last line.
func NewCause(language string) *Cause { return &Cause{phrasing: phrasings[language]} }

// Add takes in the next line. It is without secrets, and without its end.
func (c *Cause) Add(line string) {
	line = strings.TrimRight(line, " \t\r")
	switch {
	case line == "":
	case c.next:
		c.text, c.known, c.next = c.phrasing.prefix+line, true, false
	case c.addReport(line):
	case c.phrasing.frame != nil && c.phrasing.frame.MatchString(line):
		c.known = c.known && c.phrasing.final
		c.framed = true
	case !c.known:
		c.text = line
		c.known = c.framed && c.phrasing.framed
		c.framed = false
	}
}

func (c *Cause) addReport(line string) bool {
	if c.phrasing.report == nil {
		return false
	}
	found := c.phrasing.report.FindStringSubmatch(line)
	if found == nil {
		return false
	}
	c.text, c.known, c.next, c.framed = c.phrasing.prefix+found[1], true, found[1] == "", false
	return true
}

// String returns why; empty if nothing was written.
func (c *Cause) String() string { return c.text }
