package process

import (
	"bytes"
	"strings"
	"sync"

	"github.com/jeton-dev/jeton/internal/engine"
)

const (
	// maxLine is the longest line of an instance that is reported as one, in bytes.
	maxLine = engine.MaxLine
	// maxLast is how much of what an instance wrote is told as the reason of its
	// end, in bytes.
	maxLast = 400
)

// lines cuts what is written to it into lines and logs each, without secrets.
// Only of one that a cut within too long a line divides the log has the parts.
type lines struct {
	secrets *redactor
	log     func(line string)
	// rate bounds what is logged; nil for no bound.
	rate *rate

	mu      sync.Mutex
	partial []byte
	// cut tells that what partial begins with is not the start of its line.
	cut bool
	// cause is told the start of each line.
	cause Cause
}

// A Cause finds in the lines of a process why it ended.
type Cause interface {
	// Add takes in the next line, without secrets and without its end.
	Add(line string)
	// String returns why; empty if that is not known.
	String() string
}

// lastLine is a Cause that takes the last line which is not blank for it.
type lastLine string

func (l *lastLine) Add(line string) {
	if strings.TrimSpace(line) != "" {
		*l = lastLine(line)
	}
}

func (l *lastLine) String() string { return string(*l) }

func newLines(log func(line string)) *lines { return &lines{log: log, cause: new(lastLine)} }

// bind says whose lines these are, once that is known: before, none are logged.
func (l *lines) bind(secrets *redactor, log func(line string), cause Cause, rate *rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets, l.log, l.cause, l.rate = secrets, log, cause, rate
}

func (l *lines) Write(p []byte) (int, error) {
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

// flush logs a last line without its end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.emit(true)
	}
	if note := l.rate.note(); note != "" {
		l.log(note)
	}
}

func (l *lines) emit(complete bool) {
	raw := strings.TrimSuffix(string(l.partial), "\r")
	l.partial = l.partial[:0]
	line := valid(l.secrets.redact(raw))
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
		l.log(note)
	}
	if admitted {
		l.log(line)
	}
}

func valid(line string) string { return strings.ToValidUTF8(line, "\uFFFD") }

// why returns in the words of the process why it ended, without secrets, cut to
// maxLast bytes.
func (l *lines) why() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.cause.String()
	if len(text) > maxLast {
		return strings.ToValidUTF8(text[:maxLast], "") + "..."
	}
	return text
}
