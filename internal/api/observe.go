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

// An Observer is notified of requests. Outcomes contain no secrets.
type Observer interface {
	// Begin is called before a request is processed. It returns the request to process,
	// with the same or another context.
	Begin(r *http.Request) *http.Request
	// End is called after the response was written.
	End(r *http.Request, o Outcome)
}

// An Outcome describes a processed request.
type Outcome struct {
	RequestID string
	// Endpoint is the pattern of the endpoint: method and path.
	Endpoint string
	Status   int
	// AccessKey is the access key of the caller's API key; empty if the caller has none.
	AccessKey string
	// From is the address of the client; zero if it is unknown.
	From   netip.Addr
	Region string
	// Object is the ID of the object of the request; empty if it is unknown.
	Object string
	// Changes reports whether the endpoint changes objects.
	Changes bool
}

// requestInfo collects what is logged and reported about a request while it is processed.
type requestInfo struct {
	requestID string
	// key is the caller's API key after authentication.
	key iam.APIKey
	err error
	// object and changes are fields of the Outcome. endpoint is its Endpoint if it is not
	// the pattern of the request.
	object, endpoint string
	changes          bool
}

type infoKey struct{}

// infoOf returns the info of a request that observe has started.
func infoOf(r *http.Request) *requestInfo {
	info, _ := r.Context().Value(infoKey{}).(*requestInfo)
	return info
}

// observe assigns an ID to each request, and logs and reports it after the response.
func (a *API) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := a.config.Now()
		info := &requestInfo{requestID: a.config.NewID()}
		if a.config.Observer != nil {
			r = a.config.Observer.Begin(r)
		}
		recorded := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		setStandardHeaders(w.Header(), info.requestID)
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, info))
		next.ServeHTTP(recorded, r)
		if a.config.Observer != nil {
			a.config.Observer.End(r, info.outcome(r, recorded.status))
		}
		level := slog.LevelInfo
		if recorded.status >= http.StatusInternalServerError && !errors.Is(info.err, context.Canceled) {
			level = slog.LevelError
		}
		attributes := []slog.Attr{
			slog.String("request_id", info.requestID), slog.String("method", truncate(r.Method, 20)),
			slog.String("path", truncate(r.URL.Path, 300)), slog.Int("status", recorded.status),
			slog.Duration("took", a.config.Now().Sub(started)), slog.String("access_key", info.key.AccessKey),
		}
		if info.err != nil {
			attributes = append(attributes, slog.Any("error", info.err))
		}
		a.config.Log.LogAttrs(r.Context(), level, "api request", attributes...)
	})
}

func (i *requestInfo) outcome(r *http.Request, status int) Outcome {
	o := Outcome{
		RequestID: i.requestID, Endpoint: r.Pattern, Status: status, AccessKey: i.key.AccessKey, From: addressOf(r),
		Object: i.object, Changes: i.changes,
	}
	if i.endpoint != "" {
		o.Endpoint = i.endpoint
	}
	// An invalid region is arbitrary text of the caller.
	if region := functions.Region(r.PathValue("region")); region.Valid() {
		o.Region = string(region)
	}
	return o
}

// statusRecorder records the status of a response.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the underlying writer, for http.ResponseController.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
