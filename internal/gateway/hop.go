package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

var (
	errHomeHere    = errors.New("this node has become the home of the function")
	errHomeLost    = errors.New("the home of the function ended after it had acquired an instance for the call")
	errNoHome      = errors.New("the home of the function cannot be reached")
	errMisdirected = errors.New("the nodes do not agree about the home of the function")
	errFenced      = errors.New("the home of the function has left the cluster")
)

const (
	// hopRetry is the pause before a call is forwarded again, and hopCheck the interval of
	// checks whether the home is still a member.
	hopRetry = 50 * time.Millisecond
	hopCheck = 500 * time.Millisecond
	// hopGrace is how much longer than the function's timeout this node waits for the home,
	// which enforces the timeout.
	hopGrace = 5 * time.Second
)

// A hop is the way of a call to the home of its function. Until the home has announced an
// instance, the call can be sent again.
type hop struct {
	call *call
	// request is the caller's request, and context that of the call, without its end.
	request *http.Request
	context callContext
	// waitUntil is when the call must have an instance.
	waitUntil time.Time
	// retries counts how often the call was sent again.
	retries int
	// node is the name of the home that has answered.
	node string
	// started means that a part of a body was sent that is not buffered.
	started atomic.Bool

	mu sync.Mutex
	// home is the member that the current attempt was sent to, cancel aborts it, and acquired
	// means that it has announced an instance.
	home     store.Member
	cancel   context.CancelCauseFunc
	acquired bool
	// answerUntil is when the home must have answered after it has acquired an instance.
	answerUntil time.Time
	timer       *time.Timer
}

// watch aborts the attempt when its time is over or its home has left the cluster.
func (h *hop) watch() {
	h.mu.Lock()
	defer h.mu.Unlock()
	homes := h.call.gateway.config.Homes
	switch now := time.Now(); {
	case h.cancel == nil:
	case h.acquired && !homes.Present(h.home):
		// Its node is gone, or was paused until the others removed it: nothing may come from it.
		go h.context.abort(errHomeLost)
	case h.acquired && now.Before(h.answerUntil):
		h.timer.Reset(min(hopCheck, h.answerUntil.Sub(now)+time.Millisecond))
	case h.acquired:
		// The transfer from and to the caller ends, too.
		go h.context.abort(errTimeout)
	case now.After(h.waitUntil):
		h.cancel(errNoHome)
	default:
		if _, member := homes.Member(h.home.Incarnation); !member {
			h.cancel(errFenced)
			return
		}
		h.timer.Reset(min(hopCheck, h.waitUntil.Sub(now)+time.Millisecond))
	}
}

// announced is called when the home has acquired an instance.
func (h *hop) announced() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.acquired {
		h.acquired = true
		h.answerUntil = time.Now().Add(h.call.to.timeout + hopGrace)
		h.timer.Reset(hopCheck)
	}
}

func (h *hop) reached() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acquired
}

// end stops the timer and the attempt.
func (h *hop) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Stop()
	}
	if h.cancel != nil {
		h.cancel(nil)
		h.cancel = nil
	}
}

// begin starts an attempt to send the call to a node.
func (h *hop) begin(parent context.Context, home store.Member) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cancel != nil {
		h.cancel(nil)
	}
	h.home, h.cancel = home, cancel
	if h.timer == nil {
		h.timer = time.AfterFunc(hopCheck, h.watch)
	} else {
		h.timer.Reset(hopCheck)
	}
	return ctx
}

// running returns the context of a call that is being forwarded.
func (c *call) running() *callContext {
	if c.hop != nil && !c.comeHome {
		return &c.hop.context
	}
	return &c.context
}

// Interim is called with the informational answers to forwarded calls. It reports whether the
// answer is one of the home's gateway, which is not for the caller.
func (g *Gateway) Interim(r *http.Request, status int, header http.Header) bool {
	c := callOf(r)
	if c == nil || c.hop == nil || status != http.StatusProcessing || header.Get(ForwardedHeader) != acquiredValue {
		return false
	}
	c.hop.announced()
	return true
}

// hopTransport sends calls to the homes of their functions.
type hopTransport struct{ gateway *Gateway }

// RoundTrip implements http.RoundTripper. It sends the call again after a failure as long as
// no instance has been acquired for it.
func (t hopTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	c := callOf(r)
	h := c.hop
	// disagreed is the membership after which another node was not the home either.
	disagreed := int64(-1)
	for ; ; h.retries++ {
		membership := t.gateway.config.Homes.Membership()
		home, self := t.gateway.config.Homes.Home(c.to.functionID)
		if self {
			return nil, errHomeHere
		}
		if home.Incarnation == "" {
			return nil, errNoHome
		}
		response, err := h.attempt(r, home, membership)
		if err != nil {
			if err := h.final(r.Context(), err); err != nil {
				return nil, err
			}
			if err := h.pause(r.Context()); err != nil {
				return nil, err
			}
			continue
		}
		if number, ok := misdirection(response); ok {
			_ = response.Body.Close()
			if disagreed == membership || h.started.Load() {
				return nil, errMisdirected
			}
			disagreed = membership
			h.catchUp(r.Context(), number)
			if err := t.gateway.readmit(h.request, c); err != nil {
				return nil, err
			}
			continue
		}
		if unknown := response.Header.Get(ForwardedHeader); unknown != "" {
			// The home has no lease, or does not know this node as a member.
			_ = response.Body.Close()
			if h.started.Load() {
				return nil, errMisdirected
			}
			if err := h.pause(r.Context()); err != nil {
				return nil, err
			}
			continue
		}
		h.node = home.Node
		return response, nil
	}
}

// attempt sends the call to a node once.
func (h *hop) attempt(r *http.Request, home store.Member, membership int64) (*http.Response, error) {
	ctx := h.begin(r.Context(), home)
	attempt := r.WithContext(ctx)
	if h.retries > 0 {
		// The attempt before may still be reading the header.
		attempt.Header = r.Header.Clone()
	}
	from := origin{
		membership: membership, wait: max(time.Until(h.waitUntil), 0), remote: h.request.RemoteAddr, overTLS: h.request.TLS != nil,
	}
	attempt.Header[ForwardedHeader] = []string{from.String()}
	switch {
	case h.call.buffered != nil:
		attempt.Body = io.NopCloser(bytes.NewReader(h.call.buffered))
	case attempt.Body != nil && attempt.Body != http.NoBody:
		attempt.Body = startedBody{attempt.Body, h}
	}
	response, err := h.call.gateway.config.Homes.RoundTrip(home, attempt)
	switch reason := h.context.reason(); {
	case err == nil:
	case reason != nil:
		err = reason
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return response, err
}

// startedBody is a body that is not buffered. It records that it is being read, and why it
// could not be read: it may be too long.
type startedBody struct {
	io.ReadCloser
	hop *hop
}

// Read implements io.Reader.
func (b startedBody) Read(p []byte) (int, error) {
	b.hop.started.Store(true)
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.hop.call.bodyError.CompareAndSwap(nil, &err)
	}
	return n, err
}

// final returns the error of a call that cannot be sent again after an error, or nil.
func (h *hop) final(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil, h.call.bodyError.Load() != nil, errors.Is(err, errTimeout):
		return err
	case h.reached(), h.started.Load():
		return fmt.Errorf("%w: %w", errHomeLost, err)
	case !time.Now().Before(h.waitUntil):
		return fmt.Errorf("%w: %w", errNoHome, err)
	}
	return nil
}

// pause waits before the call is sent again, and checks afterwards that it is still admitted.
func (h *hop) pause(ctx context.Context) error {
	if time.Until(h.waitUntil) < hopRetry {
		return errNoHome
	}
	timer := time.NewTimer(hopRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return h.call.gateway.readmit(h.request, h.call)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// catchUp waits until this node has applied the membership that another node has.
func (h *hop) catchUp(ctx context.Context, number int64) {
	ctx, cancel := context.WithTimeout(ctx, catchUpTimeout)
	defer cancel()
	_ = h.call.gateway.config.Homes.CatchUp(ctx, number) // The next attempt shows whether it has.
}
