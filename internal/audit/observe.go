package audit

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
)

// AuditorConfig has the dependencies of an Auditor. To, Now and Log are required.
type AuditorConfig struct {
	// To receives the entries. The caller closes it.
	To  Sink
	Now func() time.Time
	// Log receives errors of To.
	Log *slog.Logger
	// Reads also logs requests that change nothing and are not refused.
	Reads bool
	// Name returns the name of a function or namespace by its ID, or ""; nil for no names.
	Name func(id string) string
	// Node is the name of this server in entries; empty for the only one.
	Node string
}

// A Sink stores entries. Log and Shared implement it.
type Sink interface {
	// Append appends an entry. With sync, it is on a disk when Append returns.
	Append(e Entry, sync bool) error
}

// Auditor logs requests with their outcomes. It is safe for concurrent use.
type Auditor struct{ config AuditorConfig }

// NewAuditor returns an Auditor. Returns an error if a required field is missing.
func NewAuditor(c AuditorConfig) (*Auditor, error) {
	if c.To == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("configure audit: To, Now and Log are required")
	}
	return &Auditor{config: c}, nil
}

// Requests returns an observer of the API. The entry of a change is on the disk before
// the response of up to a few kilobytes leaves the server.
func (a *Auditor) Requests() api.Observer { return requests{a} }

type requests struct{ *Auditor }

func (q requests) Begin(r *http.Request) *http.Request { return r }

func (q requests) End(r *http.Request, o api.Outcome) {
	refused := o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden
	if !o.Changes && !refused && !q.config.Reads {
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
	if o.Changes || a.config.Reads && o.Endpoint != readEndpoint {
		a.note(r, Entry{From: Owner, Endpoint: o.Endpoint, Object: o.Object, Status: o.Status}, o.Changes)
	}
}

// note writes an entry. It logs an error, because the request is already complete.
func (a *Auditor) note(r *http.Request, e Entry, changes bool) {
	if a.config.Name != nil {
		e.Name = a.config.Name(e.Object)
	}
	e.At, e.Node = a.config.Now().UTC(), a.config.Node
	if err := a.config.To.Append(e, changes); err != nil {
		a.config.Log.ErrorContext(r.Context(), "an entry of the audit log may be lost", "request_id", e.RequestID, "endpoint", e.Endpoint, "error", err)
	}
}
