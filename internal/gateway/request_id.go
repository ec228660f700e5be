package gateway

import "net/http"

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// requestID is the caller's own, if it has a form that can go into a log, or a
// new one.
func (g *Gateway) requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); plain(id) {
		return id
	}
	return g.NewID()
}

func plain(id string) bool {
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

// truncate bounds what a caller can write into the log.
func truncate(text string) string { return text[:min(len(text), maxRequestID)] }
