package gateway

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errTimeout = errors.New("the function did not answer in time")

// callContext is the context of a forwarded call: that of the request, with a timeout and the call
// as its value. It also is the upstream.Watcher of the call. It replaces several contexts of
// package context, and is a part of the call, which takes less CPU time and memory. The reason for
// its end is that of the method reason; context.Cause knows only that of the request's context.
type callContext struct {
	// Context is that of the request.
	context.Context

	call     *call
	deadline time.Time
	timer    *time.Timer
	// stopWatching ends the watching of Context.
	stopWatching func() bool

	mu sync.Mutex
	// ended is why the context has ended; nil before.
	ended error
	// done is closed at the end; nil before the first call of Done.
	done chan struct{}
	// interrupt interrupts what the call waits for.
	interrupt func()
	// aborting counts the aborts in progress. net/http panics if the deadlines of a stream
	// are set after its handler has returned.
	aborting sync.WaitGroup
}

// errFinished means that the call is complete.
var errFinished = errors.New("the call is complete")

// start starts the context. The caller must call finish.
func (c *callContext) start(parent context.Context, of *call, timeout time.Duration) {
	c.Context, c.call, c.deadline = parent, of, time.Now().Add(timeout)
	c.timer = time.AfterFunc(timeout, c.expire)
	c.stopWatching = context.AfterFunc(parent, c.disconnect)
}

// finish ends the context after the call, and aborts nothing. It waits for an abort that has
// begun, so that none uses the client's connection after the handler has returned.
func (c *callContext) finish() {
	c.timer.Stop()
	c.stopWatching()
	c.end(errFinished)
	c.aborting.Wait()
}

func (c *callContext) expire()     { c.abort(errTimeout) }
func (c *callContext) disconnect() { c.abort(context.Cause(c.Context)) }
func (c *callContext) cancel()     { c.abort(context.Canceled) }

// abort ends the context, and aborts the transfers from and to the instance and the client.
func (c *callContext) abort(reason error) {
	if interrupt, first := c.end(reason); first {
		defer c.aborting.Done()
		interrupt()
		c.call.abortTransfer()
	}
}

// end ends the context, unless it has ended. It returns the function that is being watched.
func (c *callContext) end(reason error) (interrupt func(), first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return nil, false
	}
	c.ended = reason
	if !errors.Is(reason, errFinished) {
		c.aborting.Add(1)
	}
	if c.done != nil {
		close(c.done)
	}
	if interrupt = c.interrupt; interrupt == nil {
		interrupt = func() {}
	}
	c.interrupt = nil
	return interrupt, true
}

// reason returns why the context has ended: errTimeout or the cause of the request's context; nil
// if it has not ended.
func (c *callContext) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	return context.Cause(c.Context)
}

// Err implements context.Context.
func (c *callContext) Err() error {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	switch {
	case errors.Is(ended, errTimeout):
		return context.DeadlineExceeded
	case ended == nil || c.Context.Err() != nil:
		return c.Context.Err()
	}
	return context.Canceled
}

// Done implements context.Context.
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.ended != nil {
			close(c.done)
		}
	}
	return c.done
}

// Deadline implements context.Context.
func (c *callContext) Deadline() (time.Time, bool) {
	if d, ok := c.Context.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c.call
	}
	return c.Context.Value(key)
}

// Watch implements upstream.Watcher.
func (c *callContext) Watch(interrupt func()) {
	c.mu.Lock()
	ended := c.ended != nil
	if !ended {
		c.interrupt = interrupt
	}
	c.mu.Unlock()
	if ended {
		interrupt()
	}
}

// Unwatch implements upstream.Watcher.
func (c *callContext) Unwatch() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupt = nil
	return c.ended == nil
}
