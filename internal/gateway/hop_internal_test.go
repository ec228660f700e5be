package gateway

import (
	"context"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// The timer may have fired when the home announces an instance: the call continues.
func TestHop_LateTimerDoesNotEndCall(t *testing.T) {
	t.Parallel()
	c := &call{to: route{timeout: time.Minute}}
	h := &hop{call: c, waitUntil: time.Now().Add(time.Minute)}
	h.context.start(t.Context(), c, time.Hour)
	defer h.context.finish()
	defer h.end()
	ctx := h.begin(&h.context, store.Member{Incarnation: "b"})
	h.announced()
	h.watch()
	if err := context.Cause(ctx); err != nil {
		t.Errorf("the call has ended: %v", err)
	}
	if h.context.reason() != nil {
		t.Errorf("the call has ended: %v", h.context.reason())
	}
}
