package api

import (
	"context"
	"log/slog"
	"net/http"

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
}

// noted is what the log says of a request besides what every request has.
type noted struct {
	requestID string
	// key is the caller's, once it is known who that is.
	key iam.APIKey
	err error
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
			a.Observer.End(r, Outcome{RequestID: n.requestID, Endpoint: r.Pattern, Status: recorded.status, AccessKey: n.key.AccessKey})
		}
		level := slog.LevelInfo
		if recorded.status >= http.StatusInternalServerError {
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
