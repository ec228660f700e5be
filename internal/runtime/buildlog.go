package runtime

import (
	"fmt"
	"strings"
	"sync"
)

const (
	// logHead and logTail are how many bytes a BuildLog keeps from the start and from the
	// end of the output.
	logHead = 1 << 20
	logTail = 256 << 10
)

// A BuildLog keeps the output of the tools of one build; of long output the start and
// the end. The zero value is empty. It is safe for concurrent use.
type BuildLog struct {
	mu   sync.Mutex
	head []byte
	tail []byte
	// dropped counts the bytes between the two.
	dropped int
}

// Write never fails.
func (l *BuildLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := p
	if room := logHead - len(l.head); room > 0 {
		n := min(room, len(rest))
		l.head, rest = append(l.head, rest[:n]...), rest[n:]
	}
	l.tail = append(l.tail, rest...)
	// Cutting only when the tail has doubled avoids a copy for every line.
	if excess := len(l.tail) - logTail; excess > logTail {
		l.dropped += excess
		l.tail = append([]byte(nil), l.tail[excess:]...)
	}
	return len(p), nil
}

// String returns the kept output as valid UTF-8, and marks an omission.
func (l *BuildLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := string(l.head)
	if l.dropped > 0 {
		text += fmt.Sprintf("\n[%d bytes omitted]\n", l.dropped)
	}
	return strings.ToValidUTF8(text+string(l.tail), "\uFFFD")
}
