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

// lines cuts what is written to it into lines and logs each.
type lines struct {
	log func(line string)

	mu      sync.Mutex
	partial []byte
	newest  string
}

func newLines(log func(line string)) *lines { return &lines{log: log} }

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
			l.emit()
		}
	}
	return len(p), nil
}

// flush logs a last line without its end.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.emit()
	}
}

func (l *lines) emit() {
	line := strings.ToValidUTF8(strings.TrimSuffix(string(l.partial), "\r"), "\uFFFD")
	l.partial = l.partial[:0]
	if strings.TrimSpace(line) != "" {
		l.newest = line
	}
	l.log(line)
}

// last returns the newest line that is not blank, cut to a bearable length.
func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.newest) > maxLast {
		return strings.ToValidUTF8(l.newest[:maxLast], "") + "..."
	}
	return l.newest
}
