package ops

import (
	"errors"
	"net/http"
	"net/http/pprof"
)

// Config configures the port. Readiness and Metrics are required.
type Config struct {
	Readiness *Readiness
	Metrics   http.Handler
	// Pprof enables /debug/pprof/, which shows memory and command line of the process.
	// Profiles slow the process down.
	Pprof bool
}

// NewHandler returns the handler of the port. Returns an error if a required field is
// missing.
func NewHandler(c Config) (http.Handler, error) {
	if c.Readiness == nil || c.Metrics == nil {
		return nil, errors.New("configure operators' port: Readiness and Metrics are required")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready, report := c.Readiness.Check()
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, report)
	})
	mux.Handle("GET /metrics", c.Metrics)
	if c.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	}
	return mux, nil
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // The only error is that the client disconnected.
}
