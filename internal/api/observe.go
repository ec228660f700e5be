package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// An Observer watches the requests. Nothing secret is among what it is told.
type Observer interface {
	// Begin is told of a request before it is looked at, and returns the
	// request to go on with: the same one, or one with another context.
	Begin(r *http.Request) *http.Request
	// End is told of a request that was answered.
	End(r *http.Request, o Outcome)
}

// An Outcome is what became of a request.
type Outcome struct {
	RequestID string
	// Endpoint is the pattern of the endpoint, with the method.
	Endpoint string
	Status   int
	// AccessKey is empty unless the caller has an API key.
	AccessKey string
	// From is where the request came from; the zero one if that is not known.
	From   netip.Addr
	Region string
	// Object is the ID of what the request was about, as far as it is known.
	Object string
	// Changes tells that it was to change something.
	Changes bool
}

// noted is what the log says of a request besides what every request has.
type noted struct {
	requestID string
	// key is the caller's, once it is known who that is.
	key iam.APIKey
	err error
	// object and changes are those of Outcome.
	object  string
	changes bool
}

type notedKey struct{}

// notedFor returns the notes of a request that observe has let in.
func notedFor(r *http.Request) *noted {
	n, _ := r.Context().Value(notedKey{}).(*noted)
	return n
}

// observe gives each request an ID and logs it when it is answered.
func (a *API) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := a.Now()
		n := &noted{requestID: a.NewID()}
		if a.Observer != nil {
			r = a.Observer.Begin(r)
		}
		recorded := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		setStandardHeaders(w.Header(), n.requestID)
		r = r.WithContext(context.WithValue(r.Context(), notedKey{}, n))
		next.ServeHTTP(recorded, r)
		if a.Observer != nil {
			a.Observer.End(r, n.outcome(r, recorded.status))
		}
		level := slog.LevelInfo
		if recorded.status >= http.StatusInternalServerError && !errors.Is(n.err, context.Canceled) {
			level = slog.LevelError
		}
		attributes := []slog.Attr{
			slog.String("request_id", n.requestID), slog.String("method", truncate(r.Method, 20)),
			slog.String("path", truncate(r.URL.Path, 300)), slog.Int("status", recorded.status),
			slog.Duration("took", a.Now().Sub(began)), slog.String("access_key", n.key.AccessKey),
		}
		if n.err != nil {
			attributes = append(attributes, slog.Any("error", n.err))
		}
		a.Log.LogAttrs(r.Context(), level, "api request", attributes...)
	})
}

func (n *noted) outcome(r *http.Request, status int) Outcome {
	o := Outcome{
		RequestID: n.requestID, Endpoint: r.Pattern, Status: status, AccessKey: n.key.AccessKey, From: addressOf(r),
		Object: n.object, Changes: n.changes,
	}
	// What is no region is text of the caller's own.
	if region := functions.Region(r.PathValue("region")); region.Valid() {
		o.Region = string(region)
	}
	return o
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
