package cluster

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
)

// Gate returns a handler that answers requests with 503 while the node has no lease, and
// holds every other response of next back until all members show what the request has read
// and written. If that is not known, it replaces the response by 503.
func (n *Node) Gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := n.Begin(r.Context())
		if err != nil {
			unavailable(w, err)
			return
		}
		g := &gatedWriter{ResponseWriter: w, await: func() error { return n.Await(ctx) }}
		// In place, so that observers outside see the pattern that the handler sets.
		*r = *r.WithContext(ctx)
		next.ServeHTTP(g, r)
		// A handler that has written nothing answers 200 without a body.
		g.decide()
	})
}

// unavailable writes an error in the shape of the Functions API.
func unavailable(w http.ResponseWriter, err error) {
	text := ErrNoLease.Message
	if e, ok := errors.AsType[*functions.Error](err); ok {
		text = e.Message
	}
	clear(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	// An error means that the client disconnected.
	_ = json.NewEncoder(w).Encode(map[string]string{"message": text})
}

// A gatedWriter calls await before the first byte of the response. If that fails, it
// answers 503 and discards the response.
type gatedWriter struct {
	http.ResponseWriter
	await            func() error
	decided, refused bool
}

func (g *gatedWriter) decide() {
	if g.decided {
		return
	}
	g.decided = true
	if err := g.await(); err != nil {
		g.refused = true
		unavailable(g.ResponseWriter, err)
	}
}

// WriteHeader implements http.ResponseWriter.
func (g *gatedWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		g.decide()
	}
	if !g.refused {
		g.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (g *gatedWriter) Write(p []byte) (int, error) {
	g.decide()
	if g.refused {
		return len(p), nil
	}
	return g.ResponseWriter.Write(p)
}

// FlushError is for http.ResponseController.
func (g *gatedWriter) FlushError() error {
	g.decide()
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (g *gatedWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }
