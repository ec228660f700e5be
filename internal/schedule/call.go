package schedule

import (
	"bytes"
	"context"
	"net/http"
)

// post calls a function by its hostname and returns the status of the response, 0 if
// there was none.
func post(ctx context.Context, to http.Handler, host, contentType string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.RequestURI = "/"
	request.Header.Set("Content-Type", contentType)
	response := &statusWriter{header: http.Header{}}
	to.ServeHTTP(response, request)
	return response.status, nil
}

// isSuccess reports whether the status of a response is from 200 to 299.
func isSuccess(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

// statusWriter is a response writer that keeps the status only.
type statusWriter struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (s *statusWriter) Header() http.Header { return s.header }

// WriteHeader implements http.ResponseWriter. It ignores informational statuses.
func (s *statusWriter) WriteHeader(status int) {
	if status >= http.StatusOK && s.status == 0 {
		s.status = status
	}
}

// Write implements http.ResponseWriter.
func (s *statusWriter) Write(p []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(p), nil
}
