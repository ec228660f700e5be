package gateway

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

var errDisconnected = errors.New("client disconnected")

func TestCallContext_Ends(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// end ends the context. The request's context has the cancel function.
		end    func(c *callContext, cancel context.CancelCauseFunc)
		err    error
		reason error
		// aborts means that the call is interrupted.
		aborts bool
	}{
		"after the timeout": {
			func(c *callContext, _ context.CancelCauseFunc) { <-c.Done() },
			context.DeadlineExceeded, errTimeout, true,
		},
		"with the request": {
			func(_ *callContext, cancel context.CancelCauseFunc) { cancel(errDisconnected) },
			context.Canceled, errDisconnected, true,
		},
		"when it is canceled": {
			func(c *callContext, _ context.CancelCauseFunc) { c.cancel() },
			context.Canceled, context.Canceled, true,
		},
		"with the call": {
			func(c *callContext, _ context.CancelCauseFunc) { c.finish() },
			context.Canceled, errFinished, false,
		},
		"once": {
			func(c *callContext, cancel context.CancelCauseFunc) {
				<-c.Done()
				c.cancel()
				c.finish()
				cancel(errDisconnected)
			},
			context.DeadlineExceeded, errTimeout, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				c := new(call)
				c.body.init(httptest.NewRecorder(), nil, 0, 0)
				c.context.start(parent, c, time.Minute)
				defer c.context.finish()
				interrupted := 0
				c.context.Watch(func() { interrupted++ })
				child, stop := context.WithCancel(&c.context)
				defer stop()
				select {
				case <-c.context.Done():
					t.Fatal("the context is done at the beginning")
				default:
				}
				if c.context.Err() != nil || c.context.reason() != nil {
					t.Fatalf("got error %v, reason %v at the beginning", c.context.Err(), c.context.reason())
				}
				test.end(&c.context, cancel)
				synctest.Wait()
				<-c.context.Done()
				<-child.Done()
				if got := c.context.Err(); !errors.Is(got, test.err) {
					t.Errorf("got error %v, want %v", got, test.err)
				}
				if got := c.context.reason(); !errors.Is(got, test.reason) {
					t.Errorf("got reason %v, want %v", got, test.reason)
				}
				want := 0
				if test.aborts {
					want = 1
				}
				if interrupted != want {
					t.Errorf("interrupted %d times, want %d", interrupted, want)
				}
				if c.context.Unwatch() {
					t.Error("Unwatch reports that the context has not ended")
				}
				c.context.Watch(func() { interrupted++ })
				if interrupted != want+1 {
					t.Error("Watch of an ended context does not interrupt")
				}
			})
		})
	}
}

func TestCallContext_DoesNotInterruptAnEndedWait(t *testing.T) {
	t.Parallel()
	c := new(call)
	c.body.init(httptest.NewRecorder(), nil, 0, 0)
	c.context.start(t.Context(), c, time.Hour)
	defer c.context.finish()
	c.context.Watch(func() { t.Error("interrupted") })
	if !c.context.Unwatch() {
		t.Error("Unwatch reports that the context has ended")
	}
	c.context.cancel()
}

func TestCallContext_HasTheEarlierDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		for own, want := range map[time.Duration]time.Duration{time.Minute: time.Minute, time.Hour: 10 * time.Minute} {
			parent, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			var c call
			c.context.start(parent, &c, own)
			if got, ok := c.context.Deadline(); !ok || got.Sub(now) != want {
				t.Errorf("timeout %v: got deadline after %v, %t, want %v", own, got.Sub(now), ok, want)
			}
			if callOf(httptest.NewRequestWithContext(&c.context, "GET", "/", nil)) != &c {
				t.Error("the call is missing in the context")
			}
			c.context.finish()
			cancel()
		}
	})
}
