package process

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

const (
	// maxLine is the longest line of an instance that is logged as one, in bytes.
	maxLine = 8 << 10
	// maxLast is how much of an instance's last line is told as the reason of
	// its end.
	maxLast = 400
	// levelOutput is the level of what instances print.
	levelOutput = slog.LevelInfo
)

// lines cuts what is written to it into lines and logs each, without secrets.
// Only of one that a cut within too long a line divides the log has the parts.
type lines struct {
	secrets redactor
	log     func(line string)

	mu      sync.Mutex
	partial []byte
	// cut tells that what partial begins with is not the start of its line.
	cut bool
	// newest is the start of the newest line that is not blank.
	newest string
}

func newLines(secrets redactor, log func(line string)) *lines {
	return &lines{secrets: secrets, log: log}
}

// bind says whose lines these are, once that is known: before, none are logged.
func (l *lines) bind(secrets redactor, log func(line string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets, l.log = secrets, log
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
}

func (l *lines) emit(complete bool) {
	raw := strings.TrimSuffix(string(l.partial), "\r")
	l.partial = l.partial[:0]
	line := valid(l.secrets.redact(raw))
	if !l.cut && strings.TrimSpace(raw) != "" {
		l.newest = line
		if !complete {
			l.newest = valid(l.secrets.redactStart(raw))
		}
	}
	l.cut = !complete
	l.log(line)
}

func valid(line string) string { return strings.ToValidUTF8(line, "\uFFFD") }

// last returns the newest line that is not blank, without secrets, cut to a
// bearable length.
func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.newest) > maxLast {
		return strings.ToValidUTF8(l.newest[:maxLast], "") + "..."
	}
	return l.newest
}
