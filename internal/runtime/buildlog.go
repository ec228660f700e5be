package runtime

import (
	"fmt"
	"strings"
	"sync"
)

const (
	// logHead and logTail are how much of a build's log is kept, in bytes, from
	// its beginning and from its end.
	logHead = 1 << 20
	logTail = 256 << 10
)

// A BuildLog keeps what the tools of one build print: all of it, or the beginning
// and the end.
type BuildLog struct {
	mu   sync.Mutex
	head []byte
	tail []byte
	// dropped counts the bytes between the two.
	dropped int
}

// Write always takes everything.
func (l *BuildLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := p
	if room := logHead - len(l.head); room > 0 {
		n := min(room, len(rest))
		l.head, rest = append(l.head, rest[:n]...), rest[n:]
	}
	l.tail = append(l.tail, rest...)
	// It is cut seldom, so that it is not copied for every line.
	if excess := len(l.tail) - logTail; excess > logTail {
		l.dropped += excess
		l.tail = append([]byte(nil), l.tail[excess:]...)
	}
	return len(p), nil
}

// String returns what is kept, as text, with a word on what is not.
func (l *BuildLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := string(l.head)
	if l.dropped > 0 {
		text += fmt.Sprintf("\n[%d bytes are left out here]\n", l.dropped)
	}
	return strings.ToValidUTF8(text+string(l.tail), "\uFFFD")
}
