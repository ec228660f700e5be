package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
)

const (
	// adminPath is the prefix of the endpoints of the admin socket, for clients on other
	// machines.
	adminPath = "/jeton/v1/admin"
	auditPath = "/jeton/v1/audit-log"
)

// Audit reads the audit log.
type Audit interface {
	// Entries calls report with each entry as JSON since a time, oldest first. With follow it
	// continues with new entries until ctx ends.
	Entries(ctx context.Context, since time.Time, follow bool, report func(entry []byte) error) error
}

// authorizeAdmin returns an error unless the caller's key covers the server's organization
// with all permissions: what these endpoints return and change belongs to no project.
func (a *API) authorizeAdmin(r *http.Request) error {
	_, err := a.authorize(r, permission{action: iam.Write, resource: "jeton_admin", organization: true})
	return err
}

// serveAdmin passes requests of administrators on to the handler of the admin socket.
func (a *API) serveAdmin(w http.ResponseWriter, r *http.Request) {
	infoOf(r).changes = r.Method != http.MethodGet
	if err := a.authorizeAdmin(r); err != nil {
		a.writeError(w, r, err)
		return
	}
	http.StripPrefix(adminPath, a.config.Admin).ServeHTTP(w, r)
}

// Describe sets what is reported about the request of a context: the endpoint within Config.Admin,
// and the ID of its object.
func Describe(ctx context.Context, endpoint, object string) {
	if info, ok := ctx.Value(infoKey{}).(*requestInfo); ok {
		info.endpoint, info.object = endpoint, object
	}
}

// getAudit streams the audit log, one JSON object per line.
func (a *API) getAudit(w http.ResponseWriter, r *http.Request) {
	if err := a.authorizeAdmin(r); err != nil {
		a.writeError(w, r, err)
		return
	}
	query, err := a.parseLogsQuery(r.URL.Query())
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	ctx, cancel := a.streamContext(r)
	defer cancel()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	_ = control.SetReadDeadline(time.Time{})
	_ = control.Flush()
	err = a.config.Audit.Entries(ctx, query.since, query.follow, func(entry []byte) error {
		if err := a.authorizeAdmin(r); err != nil {
			return err
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err := json.NewEncoder(w).Encode(json.RawMessage(entry)); err != nil {
			return err
		}
		return control.Flush()
	})
	if err != nil && ctx.Err() == nil {
		infoOf(r).err = err
	}
}

// streamContext returns a context for a stream: it ends with the request, after maxFollow, and when
// the server stops.
func (a *API) streamContext(r *http.Request) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(r.Context(), maxFollow)
	go func() {
		select {
		case <-a.config.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
