package printed

import (
	"bytes"
	"strings"
	"sync"

	"github.com/jeton-dev/jeton/internal/engine"
)

const (
	// maxLine is the longest line of an instance that is reported as one, in bytes.
	maxLine = engine.MaxLine
	// maxLast bounds the cause in the reason of an end, in bytes.
	maxLast = 400
)

// Lines is a writer that splits its input into lines and reports each without
// secrets. A line longer than maxLine is reported in parts; a secret that spans two
// parts is not recognized.
type Lines struct {
	secrets *Redactor
	report  func(line string)
	// rate limits the reported lines; nil for no limit.
	rate *Rate

	mu      sync.Mutex
	partial []byte
	// cut reports whether partial continues a line of which a part was reported.
	cut bool
	// cause receives the first part of each line.
	cause Cause
}

// A Cause finds in the output of a process why it ended.
type Cause interface {
	// Add adds the next line, without secrets and without its end.
	Add(line string)
	// String returns the cause; empty if it is unknown.
	String() string
}

// LastLine is a Cause: the last line that is not blank.
type LastLine string

func (l *LastLine) Add(line string) {
	if strings.TrimSpace(line) != "" {
		*l = LastLine(line)
	}
}

func (l *LastLine) String() string { return string(*l) }

func New(report func(line string)) *Lines { return &Lines{report: report, cause: new(LastLine)} }

// Bind sets the instance that the following lines belong to.
func (l *Lines) Bind(secrets *Redactor, report func(line string), cause Cause, rate *Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets, l.report, l.cause, l.rate = secrets, report, cause, rate
}

// Write implements io.Writer. It returns no error.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		complete := end >= 0
		if !complete {
			end = len(rest)
		}
		room := maxLine - len(l.partial)
		if end > room {
			end, complete = room, false
		}
		l.partial = append(l.partial, rest[:end]...)
		rest = rest[end:]
		if complete {
			rest = rest[1:]
		}
		if complete || len(l.partial) == maxLine {
			l.emit(complete)
		}
	}
	return len(p), nil
}

// Flush reports a last line that has no end.
func (l *Lines) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.emit(true)
	}
	if note := l.rate.note(); note != "" {
		l.report(note)
	}
}

func (l *Lines) emit(complete bool) {
	raw := strings.TrimSuffix(string(l.partial), "\r")
	l.partial = l.partial[:0]
	line := valid(l.secrets.Redact(raw))
	switch {
	case l.cut:
	case complete:
		l.cause.Add(line)
	default:
		l.cause.Add(valid(l.secrets.redactStart(raw)))
	}
	l.cut = !complete
	admitted, note := l.rate.admit(len(raw))
	if note != "" {
		l.report(note)
	}
	if admitted {
		l.report(line)
	}
}

func valid(line string) string { return strings.ToValidUTF8(line, "\uFFFD") }

// A Reporter is a Cause that distinguishes crash reports from other lines.
type Reporter interface {
	// Report returns the cause; empty unless it is from a crash report.
	Report() string
}

// Why returns the cause of the end, without secrets, cut to maxLast bytes. Of a process that
// was ready, only a crash report is the cause: its last line may be of any call.
func (l *Lines) Why(ready bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.cause.String()
	if ready {
		text = ""
		if reporter, ok := l.cause.(Reporter); ok {
			text = reporter.Report()
		}
	}
	if len(text) > maxLast {
		return strings.ToValidUTF8(text[:maxLast], "") + "..."
	}
	return text
}
