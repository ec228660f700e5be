package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// maxAttempts and the pauses between them give a service that restarts, or
	// that asks for patience, about ten seconds.
	maxAttempts  = 6
	retryPause   = 300 * time.Millisecond
	retryGrowth  = 2.0
	maxAnswer    = 32 << 20
	maxErrorBody = 64 << 10
)

// errNoMetadata answers the SDK's request for the metadata of the platform. The
// SDK sends it along with most calls, outside of their context, to name objects
// in a way that nobody reads, and ignores that it failed.
var errNoMetadata = errors.New("metadata is not asked for")

// sender sends requests and sends them again where that may help and cannot
// harm. It returns answers of 2xx, and an *Error for every other answer.
type sender struct {
	http *http.Client
	// most is the largest body of an answer, in bytes.
	most int64
}

// Do implements the interface through which the SDK sends.
func (s *sender) Do(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/metadata") {
		return nil, errNoMetadata
	}
	pause := backoff{next: retryPause, growth: retryGrowth, most: retryPause << maxAttempts}
	for attempt := 1; ; attempt++ {
		resp, err := s.once(req)
		if err == nil {
			return resp, nil
		}
		if attempt == maxAttempts || !mayRepeat(req, err) {
			return nil, doubt(req, err)
		}
		delay := time.Duration(float64(pause.step()) * (0.5 + rand.Float64()/2))
		tflog.Warn(req.Context(), "the request is sent again", map[string]any{
			"method": req.Method, "path": req.URL.Path, "attempt": attempt, "pause": delay.String(), "error": err.Error(),
		})
		if sleep(req.Context(), delay) != nil {
			return nil, err
		}
	}
}

func (s *sender) once(req *http.Request) (*http.Response, error) {
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	resp, err := s.http.Do(carriedThrough(req))
	if err != nil {
		return nil, withoutURL(req, err)
	}
	tflog.Debug(req.Context(), "the API answered", map[string]any{
		"method": req.Method, "path": req.URL.Path, "status": resp.StatusCode, "request_id": resp.Header.Get(requestIDHeader),
	})
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, readError(req, resp)
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, s.most)
	return resp, nil
}

// carriedThrough has a POST wait for its answer even if its context ends
// meanwhile: what it makes is lost without the answer, which comes soon or is
// given up by the client's own limits.
func carriedThrough(req *http.Request) *http.Request {
	if req.Method != http.MethodPost || req.Context().Err() != nil {
		return req
	}
	return req.WithContext(context.WithoutCancel(req.Context()))
}

// withoutURL replaces net/http's error, which holds the whole URL: that of an
// upload is signed, and whoever has it may upload.
func withoutURL(req *http.Request, err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	return fmt.Errorf("%s %s://%s%s: %w", req.Method, req.URL.Scheme, req.URL.Host, req.URL.Path, err)
}

// onceKey marks the context of a request that is sent once only.
type onceKey struct{}

// mayRepeat reports whether a request that failed may succeed if it is sent
// again, and whether that is harmless: what is no POST says what shall be, and
// may be said twice; a POST makes one more each time it arrives.
func mayRepeat(req *http.Request, err error) bool {
	if errors.Is(err, errArchiveChanged) {
		return false
	}
	if req.Context().Err() != nil || req.Context().Value(onceKey{}) != nil || (req.Body != nil && req.Body != http.NoBody && req.GetBody == nil) {
		return false
	}
	var answer *Error
	if errors.As(err, &answer) {
		return answer.StatusCode == http.StatusTooManyRequests || (answer.temporary() && req.Method != http.MethodPost)
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return false
	}
	return req.Method != http.MethodPost || neverSent(err)
}

// neverSent reports whether no connection was made.
func neverSent(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial"
}

// doubt says of a failed POST that it may have been carried out all the same.
func doubt(req *http.Request, err error) error {
	if req.Method != http.MethodPost || neverSent(err) {
		return err
	}
	var answer *Error
	if errors.As(err, &answer) && !answer.temporary() {
		return err
	}
	return fmt.Errorf("%w. The request was not sent again, because it may have been carried out all the same: "+
		"look for what it would have made before you apply again", err)
}

// backoff yields pauses that grow up to a most.
type backoff struct {
	next, most time.Duration
	growth     float64
}

func (b *backoff) step() time.Duration {
	pause := b.next
	b.next = min(time.Duration(float64(pause)*b.growth), b.most)
	return pause
}

// sleep waits, and returns the context's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// readBounded returns at most limit bytes of a body, and closes it.
func readBounded(body io.ReadCloser, limit int64) []byte {
	defer func() { _ = body.Close() }()
	content, err := io.ReadAll(io.LimitReader(body, limit))
	if err != nil {
		return nil
	}
	return content
}
