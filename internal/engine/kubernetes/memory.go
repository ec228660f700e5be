package kubernetes

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// measureInterval is the interval at which a ready instance is asked for its memory: that of the history
// of metrics.
const measureInterval = 5 * time.Second

// A usage is the memory that a launcher has reported. The launcher answers: it does not report by itself,
// so that no container can flood its node.
type usage struct {
	memory atomic.Int64
	// asked is whether an answer is due.
	asked atomic.Bool
}

// ask asks for the memory, unless the last answer is still due.
func (u *usage) ask(s *session) {
	if u.asked.CompareAndSwap(false, true) {
		_ = s.conn.Send(wire.Measure, nil) // receive notices a broken connection.
	}
}

// answer stores an answer, at most limit. Returns an error if none is due.
func (u *usage) answer(payload []byte, limit int64) error {
	memory, err := wire.DecodeUsage(payload, limit)
	if err != nil {
		return err
	}
	if !u.asked.CompareAndSwap(true, false) {
		return errors.New("the launcher reports its memory without a question")
	}
	u.memory.Store(memory)
	return nil
}

// Memory returns the memory in use by the function's containers of each revision, in bytes, as their
// launchers have reported it within the last seconds. A new instance counts after measureInterval.
func (e *Engine) Memory() map[string]int64 {
	used := map[string]int64{}
	for _, in := range e.All() {
		if n := in.usage.memory.Load(); n > 0 {
			used[in.revision.ID] += n
		}
	}
	return used
}
