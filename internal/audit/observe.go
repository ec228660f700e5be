package audit

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
)

// Auditor logs requests with their outcomes. All fields but Reads must be set.
type Auditor struct {
	To  *Log
	Now func() time.Time
	Log *slog.Logger
	// Reads also logs requests that change nothing and are not refused.
	Reads bool
}

// Requests returns an observer of the API. The entry of a change is on the disk before
// the response of up to a few kilobytes leaves the server.
func (a *Auditor) Requests() api.Observer { return requests{a} }

type requests struct{ *Auditor }

func (q requests) Begin(r *http.Request) *http.Request { return r }

func (q requests) End(r *http.Request, o api.Outcome) {
	refused := o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden
	if !o.Changes && !refused && !q.Reads {
		return
	}
	from := o.From.String()
	if !o.From.IsValid() {
		from = ""
	}
	q.note(r, Entry{
		RequestID: o.RequestID, AccessKey: o.AccessKey, From: from, Endpoint: o.Endpoint, Region: o.Region,
		Object: o.Object, Status: o.Status,
	}, o.Changes)
}

// Admin observes the admin socket.
func (a *Auditor) Admin(r *http.Request, o admin.Outcome) {
	if o.Changes || a.Reads {
		a.note(r, Entry{From: Owner, Endpoint: o.Endpoint, Object: o.Object, Status: o.Status}, o.Changes)
	}
}

// note writes an entry. It logs an error, because the request is already complete.
func (a *Auditor) note(r *http.Request, e Entry, changes bool) {
	e.At = a.Now().UTC()
	if err := a.To.Append(e, changes); err != nil {
		a.Log.ErrorContext(r.Context(), "an entry of the audit log may be lost", "request_id", e.RequestID, "endpoint", e.Endpoint, "error", err)
	}
}
