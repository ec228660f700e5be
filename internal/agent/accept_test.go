package agent_test

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
)

// A failing listener fails a number of times before it is closed.
type failing struct {
	net.Listener
	left int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.left--; f.left < 0 {
		return nil, net.ErrClosed
	}
	return nil, errors.New("too many open files")
}

func TestAccept_PausesAfterAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := agent.Accept(&failing{left: 10}); err != nil {
			t.Fatal(err)
		}
		// 5, 10, 20, ... 640 ms, and twice a second.
		if took := time.Since(began); took != 3275*time.Millisecond {
			t.Errorf("ten errors take %v, want a pause after each that doubles up to a second", took)
		}
	})
}
