package leave

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// retries repeats requests that read something after status 429, a fault of the server or
// a broken connection. Scaleway limits the rate of requests without documenting the limit.
type retries struct {
	next http.RoundTripper
	// pause is the time before the first repetition; it doubles with each one.
	pause time.Duration
}

const (
	maxTries   = 7
	firstPause = 500 * time.Millisecond
	maxPause   = 30 * time.Second
)

// RoundTrip implements http.RoundTripper.
func (t retries) RoundTrip(r *http.Request) (*http.Response, error) {
	pause := t.pause
	for try := 1; ; try++ {
		response, err := t.next.RoundTrip(r)
		if try == maxTries || r.Method != http.MethodGet || !temporary(response, err) {
			return response, err
		}
		wait := pause/2 + rand.N(pause/2+1)
		if err == nil {
			wait = max(wait, retryAfter(response))
			_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
			response.Body.Close()
		}
		timer := time.NewTimer(min(wait, maxPause))
		select {
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			return nil, r.Context().Err()
		}
		pause = min(2*pause, maxPause)
	}
}

// temporary reports whether the same request may succeed later.
func temporary(response *http.Response, err error) bool {
	if name, ok := errors.AsType[*net.DNSError](err); ok && name.IsNotFound {
		return false
	}
	if err != nil {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	code := response.StatusCode
	return code == http.StatusTooManyRequests || code >= 500 && code != http.StatusNotImplemented
}

// retryAfter returns the wait that a response asks for, 0 if it asks for none.
func retryAfter(response *http.Response) time.Duration {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// statusError is an unexpected answer to a download.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("the download was answered with status %d", int(e))
}
