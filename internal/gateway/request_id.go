package gateway

import "net/http"

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// requestID returns the request ID of the caller if it can be logged, or else a new one.
func (g *Gateway) requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); isLoggable(id) {
		return id
	}
	return g.config.NewID()
}

// isLoggable reports whether an ID consists of printable ASCII characters without spaces and
// is not too long.
func isLoggable(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// truncate shortens a text of the caller for the log.
func truncate(text string) string { return text[:min(len(text), maxRequestID)] }
