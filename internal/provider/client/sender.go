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
	// The attempts and their pauses cover about ten seconds, in which a service
	// may restart or a rate limit may pass.
	maxAttempts  = 6
	retryPause   = 300 * time.Millisecond
	retryGrowth  = 2.0
	maxAnswer    = 32 << 20
	maxErrorBody = 64 << 10
)

// errNoMetadata is returned for the SDK's request for the metadata of the
// platform. The SDK sends it with most calls, ignores their context, and ignores
// that it fails.
var errNoMetadata = errors.New("metadata requests are not sent")

// A sender sends requests, and retries those that may succeed later and are safe
// to repeat. It returns answers with a status of 2xx, and an *Error for others.
type sender struct {
	http *http.Client
	// maxBody is the largest body of an answer, in bytes.
	maxBody int64
}

// Do implements the SDK's interface of an HTTP client.
func (s *sender) Do(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/metadata") {
		return nil, errNoMetadata
	}
	pause := backoff{next: retryPause, growth: retryGrowth, maximum: retryPause << maxAttempts}
	for attempt := 1; ; attempt++ {
		resp, err := s.attempt(req)
		if err == nil {
			return resp, nil
		}
		if attempt == maxAttempts || !mayRepeat(req, err) {
			return nil, withUnknownOutcome(req, err)
		}
		delay := time.Duration(float64(pause.step()) * (0.5 + rand.Float64()/2))
		tflog.Warn(req.Context(), "retrying the request", map[string]any{
			"method": req.Method, "path": req.URL.Path, "attempt": attempt, "pause": delay.String(), "error": err.Error(),
		})
		if sleep(req.Context(), delay) != nil {
			return nil, err
		}
	}
}

func (s *sender) attempt(req *http.Request) (*http.Response, error) {
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	resp, err := s.http.Do(keepPost(req))
	if err != nil {
		return nil, withoutURL(req, err)
	}
	tflog.Debug(req.Context(), "the API answered", map[string]any{
		"method": req.Method, "path": req.URL.Path, "status": resp.StatusCode, "request_id": resp.Header.Get(requestIDHeader),
	})
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, readError(req, resp)
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, s.maxBody)
	return resp, nil
}

// keepPost makes a POST wait for its answer even if its context ends: without the
// answer, the id of the object that it creates is lost. The client's timeouts
// still apply.
func keepPost(req *http.Request) *http.Request {
	if req.Method != http.MethodPost || req.Context().Err() != nil {
		return req
	}
	return req.WithContext(context.WithoutCancel(req.Context()))
}

// withoutURL replaces net/http's error, which contains the whole URL. The URL of an
// upload is signed and must not be logged.
func withoutURL(req *http.Request, err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		err = urlError.Err
	}
	return fmt.Errorf("%s %s://%s%s: %w", req.Method, req.URL.Scheme, req.URL.Host, req.URL.Path, err)
}

// noRetryKey marks the context of a request that is not retried.
type noRetryKey struct{}

// mayRepeat reports whether a failed request may succeed if it is repeated, and is
// safe to repeat. A POST creates one more object each time it arrives; the other
// methods are idempotent.
func mayRepeat(req *http.Request, err error) bool {
	if errors.Is(err, errArchiveChanged) {
		return false
	}
	if req.Context().Err() != nil || req.Context().Value(noRetryKey{}) != nil || (req.Body != nil && req.Body != http.NoBody && req.GetBody == nil) {
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

// neverSent reports whether the connection failed, so that no byte was sent.
func neverSent(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial"
}

// withUnknownOutcome adds to the error of a POST that the server may have executed
// the request. It returns other errors unchanged.
func withUnknownOutcome(req *http.Request, err error) error {
	if req.Method != http.MethodPost || neverSent(err) {
		return err
	}
	var answer *Error
	if errors.As(err, &answer) && !answer.temporary() {
		return err
	}
	return fmt.Errorf("%w. The request was not retried, because the server may have executed it: "+
		"check whether the object exists before you apply again", err)
}

// readBounded returns at most limit bytes of a body, and closes it. It returns nil
// if reading fails.
func readBounded(body io.ReadCloser, limit int64) []byte {
	defer func() { _ = body.Close() }()
	content, err := io.ReadAll(io.LimitReader(body, limit))
	if err != nil {
		return nil
	}
	return content
}
