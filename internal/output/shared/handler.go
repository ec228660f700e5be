package shared

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/output"
)

// Routes calls handle with the routes for other nodes.
func (l *Logs) Routes(handle func(pattern string, h http.Handler)) {
	handle("GET "+linesPath+"{function}", http.HandlerFunc(l.serveLines))
	handle("GET "+buildPath+"{function}", http.HandlerFunc(l.serveBuild))
}

// serveLines streams the lines of this node, as one JSON object per line.
func (l *Logs) serveLines(w http.ResponseWriter, r *http.Request) {
	since, err := time.Parse(time.RFC3339Nano, r.FormValue(sinceParam))
	if err != nil {
		http.Error(w, "since is not a time", http.StatusBadRequest)
		return
	}
	control := http.NewResponseController(w)
	// The request was read completely, and the response may take long.
	_, _ = control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/x-ndjson")
	id := r.PathValue("function")
	if r.FormValue(followParam) != "true" {
		err = output.Read(l.config.Dir, id, since, func(_ output.Entry, line []byte) error {
			_, err := w.Write(append(line, '\n'))
			return err
		})
	} else {
		_ = control.Flush()
		lines := json.NewEncoder(w)
		err = output.Follow(r.Context(), l.config.Dir, id, since, func(e output.Entry, _ []byte) error {
			if err := lines.Encode(e); err != nil {
				return err
			}
			return control.Flush()
		})
	}
	if err != nil {
		panic(http.ErrAbortHandler) // The other node must not take the response for complete.
	}
}

// serveBuild returns the log of the latest build at this node.
func (l *Logs) serveBuild(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("function")
	text, ok := l.config.Running(id)
	if !ok {
		var err error
		if text, ok, err = output.BuildLog(l.config.Dir, id); err != nil {
			http.Error(w, "the log cannot be read", http.StatusInternalServerError)
			return
		}
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	// An error means that the other node disconnected.
	_, _ = w.Write([]byte(text))
}
