package runtime

import (
	"regexp"
	"strings"
)

// A Cause extracts from the standard error of a process why the process ended: the class
// of an exception and the first line of its message, or the text of a panic, without the
// stack trace. It is not safe for concurrent use.
type Cause struct {
	format format
	text   string
	// known: lines up to the next frame belong to text, such as further lines of a
	// message. next: the next line is the text. framed: the last line was a frame.
	known, next, framed bool
}

// A format describes the crash reports of a language.
type format struct {
	// report matches a line with the cause. Its group is the part to keep. If the group
	// is empty, the cause is in the next line.
	report *regexp.Regexp
	// prefix is added to the part that is kept.
	prefix string
	// frame matches lines of a stack trace.
	frame *regexp.Regexp
	// final: lines after a report never belong to it. framed: the first line after
	// frames is a report.
	final, framed bool
}

var formats = map[string]format{
	// "panic: " and the text, followed by the stack traces of all goroutines.
	Go: {
		report: regexp.MustCompile(`^((?:panic|fatal error): .*?)(?: \[recovered.*\])?$`),
		frame:  regexp.MustCompile(`^(?:\s|goroutine \d|exit status \d|created by |\S+\(.*\)$)`),
		final:  true,
	},
	// The text is in the next line. Older versions have it in the same line.
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

// NewCause returns a Cause for programs of a language. For an unknown language the cause
// is the last line.
func NewCause(language string) *Cause { return &Cause{format: formats[language]} }

// Add adds the next line, without its end. Secrets must be redacted before.
func (c *Cause) Add(line string) {
	line = strings.TrimRight(line, " \t\r")
	switch {
	case line == "":
	case c.next:
		c.text, c.known, c.next = c.format.prefix+line, true, false
	case c.addReport(line):
	case c.format.frame != nil && c.format.frame.MatchString(line):
		c.known = c.known && c.format.final
		c.framed = true
	case !c.known:
		c.text = line
		c.known = c.framed && c.format.framed
		c.framed = false
	}
}

func (c *Cause) addReport(line string) bool {
	if c.format.report == nil {
		return false
	}
	found := c.format.report.FindStringSubmatch(line)
	if found == nil {
		return false
	}
	c.text, c.known, c.next, c.framed = c.format.prefix+found[1], true, found[1] == "", false
	return true
}

// String returns the cause, or "" if nothing was written.
func (c *Cause) String() string { return c.text }

// Report returns the cause if it is from a crash report, and otherwise "".
func (c *Cause) Report() string {
	if !c.known {
		return ""
	}
	return c.text
}
