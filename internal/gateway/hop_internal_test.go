package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// present are Homes whose nodes are all present.
type present struct{ Homes }

func (present) Present(store.Member) bool { return true }

// The timer may have fired when the home announces an instance: the call continues.
func TestHop_LateTimerDoesNotEndCall(t *testing.T) {
	t.Parallel()
	c := &call{gateway: &Gateway{config: Config{Homes: present{}}}, to: route{timeout: time.Minute}}
	c.body.client = http.NewResponseController(nil)
	h := &hop{call: c, waitUntil: time.Now().Add(time.Minute)}
	h.context.start(t.Context(), c, time.Hour)
	defer h.context.finish()
	defer h.end()
	ctx := h.begin(&h.context, store.Member{Incarnation: "b"})
	h.announced()
	h.watch()
	select {
	case <-ctx.Done():
		t.Errorf("the call has ended: %v", h.context.reason())
	case <-time.After(100 * time.Millisecond):
	}
}
