package schedule

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// late is how long after its time a call is said to be late.
const late = 30 * time.Second

// call makes one call, as the real service does: a POST with the cron's
// arguments as its body, which no privacy stops. Nobody repeats it.
func (c *Crons) call(ctx context.Context, r run) {
	log := c.Log.With("cron_id", r.cron.ID, "function_id", r.cron.FunctionID, "planned", r.planned)
	if behind := r.at.Sub(r.planned); behind > late {
		log = log.With("late", behind)
	}
	status, err := post(ctx, c.Calls, r.host, "application/json", r.cron.Args)
	switch {
	case err != nil:
		log.Error("a cron could not call", "error", err)
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
		log.Warn("a cron's call was not answered well", "status", status)
	default:
		log.Info("a cron has called", "status", status)
	}
}

// post calls a function by its host and returns the status of the answer, 0 if
// there was none.
func post(ctx context.Context, to http.Handler, host, contentType string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.RequestURI = "/"
	request.Header.Set("Content-Type", contentType)
	answer := &statusOnly{header: http.Header{}}
	to.ServeHTTP(answer, request)
	return answer.status, nil
}

// statusOnly is an answer of which nobody reads more than the status.
type statusOnly struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (s *statusOnly) Header() http.Header { return s.header }

// WriteHeader implements http.ResponseWriter.
func (s *statusOnly) WriteHeader(status int) {
	if status >= http.StatusOK && s.status == 0 {
		s.status = status
	}
}

// Write implements http.ResponseWriter.
func (s *statusOnly) Write(p []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(p), nil
}
