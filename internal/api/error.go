package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// message is the error body of the Functions API.
type message struct {
	Message string `json:"message"`
}

// The other error bodies are those of Scaleway's API gateway and of its newer APIs, with
// the members in alphabetical order as recorded.
type (
	deniedAuthentication struct {
		Message string `json:"message"`
		Method  string `json:"method"`
		Reason  string `json:"reason"`
		Type    string `json:"type"`
	}
	deniedPermission struct {
		Details []deniedAction `json:"details"`
		Message string         `json:"message"`
		Type    string         `json:"type"`
	}
	deniedAction struct {
		Action   iam.Action `json:"action"`
		Resource string     `json:"resource"`
	}
	invalidArguments struct {
		Details []invalidArgument `json:"details"`
		Message string            `json:"message"`
		Type    string            `json:"type"`
	}
	invalidArgument struct {
		ArgumentName string `json:"argument_name"`
		HelpMessage  string `json:"help_message"`
		Reason       string `json:"reason"`
	}
	notFound struct {
		Message    string `json:"message"`
		Resource   string `json:"resource"`
		ResourceID string `json:"resource_id"`
		Type       string `json:"type"`
	}
	transientState struct {
		CurrentState string `json:"current_state"`
		Message      string `json:"message"`
		Resource     string `json:"resource"`
		ResourceID   string `json:"resource_id"`
		Type         string `json:"type"`
	}
	alreadyExists struct {
		HelpMessage string `json:"help_message"`
		Message     string `json:"message"`
		Resource    string `json:"resource"`
		ResourceID  string `json:"resource_id"`
		Type        string `json:"type"`
	}
	preconditionFailed struct {
		HelpMessage  string `json:"help_message"`
		Message      string `json:"message"`
		Precondition string `json:"precondition"`
		Type         string `json:"type"`
	}
	quotasExceeded struct {
		Details []exceededQuota `json:"details"`
		Message string          `json:"message"`
		Type    string          `json:"type"`
	}
	exceededQuota struct {
		Resource string `json:"resource"`
		Quota    int    `json:"quota"`
		Current  int    `json:"current"`
	}
)

// writeError writes the response for an error. Internal errors are only logged, with the ID
// of the request.
func (a *API) writeError(w http.ResponseWriter, r *http.Request, err error) {
	infoOf(r).err = err
	if errors.Is(err, errTooManyAttempts) {
		writeRateLimited(w)
		return
	}
	status, body := errorBody(err)
	a.writeJSON(w, r, status, body)
}

// missing is the error for a resource that does not exist in the IAM and account APIs.
type missing struct{ resource, id string }

// Error implements error.
func (m missing) Error() string { return m.resource + " " + m.id + " is not found" }

// errTooManyAttempts is the error for a wrong API key or signature from an address that has
// exceeded its limit.
var errTooManyAttempts = errors.New("too many wrong API keys or signatures from this address")

// writeRateLimited writes the recorded response of Scaleway's API gateway: one header, no
// body, and no standard headers.
func writeRateLimited(w http.ResponseWriter) {
	header := w.Header()
	requestID := header.Get("X-Request-Id")
	clear(header)
	header.Set("X-Request-Id", requestID) // Not in the recorded response; it finds the log entry.
	header.Set("X-Envoy-Ratelimited", "true")
	header.Set("Content-Length", "0")
	w.WriteHeader(http.StatusTooManyRequests)
}

// errorBody returns the status and the body of the response for an error.
func errorBody(err error) (int, any) {
	switch {
	case errors.Is(err, iam.ErrMalformed):
		return http.StatusUnauthorized, denied("invalid_argument")
	case errors.Is(err, iam.ErrUnknown):
		return http.StatusUnauthorized, denied("not_found")
	case errors.Is(err, iam.ErrExpired):
		return http.StatusUnauthorized, denied("expired")
	}
	if permission, ok := errors.AsType[permission](err); ok {
		return http.StatusForbidden, permission.denied(insufficientPermissions)
	}
	if m, ok := errors.AsType[missing](err); ok {
		return http.StatusNotFound, notFound{
			Message: "resource is not found", Resource: m.resource, ResourceID: m.id, Type: "not_found",
		}
	}
	if errors.Is(err, context.Canceled) {
		// The client has disconnected, or the server stops. A change that was started is
		// not canceled.
		return http.StatusServiceUnavailable, message{"the request was canceled before it was processed"}
	}
	e, ok := errors.AsType[*functions.Error](err)
	if !ok {
		return http.StatusInternalServerError, message{"internal error"}
	}
	switch e.Code {
	case functions.InvalidArgument:
		if e.Argument == "" {
			return http.StatusBadRequest, message{e.Message}
		}
		return http.StatusBadRequest, invalidArguments{
			Details: []invalidArgument{{ArgumentName: e.Argument, HelpMessage: e.Message, Reason: e.Reason}},
			Message: "invalid argument(s)", Type: "invalid_arguments",
		}
	case functions.NotFound:
		return http.StatusNotFound, message{e.Message}
	case functions.AlreadyExists:
		if e.Resource == "" {
			return http.StatusConflict, message{e.Message}
		}
		return http.StatusConflict, alreadyExists{
			HelpMessage: "choose another name, or use the existing resource",
			Message:     e.Message, Resource: e.Resource, ResourceID: e.ResourceID, Type: "already_exists",
		}
	case functions.TransientState:
		return http.StatusConflict, transientState{
			CurrentState: string(e.State), Message: e.Message, Resource: e.Resource, ResourceID: e.ResourceID,
			Type: "transient_state",
		}
	case functions.QuotaExceeded:
		return http.StatusForbidden, quotasExceeded{
			Details: []exceededQuota{{Resource: e.Resource, Quota: e.Quota, Current: e.Current}}, Message: e.Message, Type: "quotas_exceeded",
		}
	case functions.PreconditionFailed:
		return http.StatusPreconditionFailed, preconditionFailed{
			HelpMessage: e.Message, Message: "precondition is not respected", Precondition: e.Precondition, Type: "precondition_failed",
		}
	case functions.Unavailable:
		return http.StatusServiceUnavailable, message{e.Message}
	case functions.PermissionDenied:
		return http.StatusForbidden, permission{action: iam.Write, resource: e.Resource}.denied(e.Message)
	}
	return http.StatusInternalServerError, message{"internal error"}
}

func denied(reason string) deniedAuthentication {
	return deniedAuthentication{
		Message: "authentication is denied", Method: "api_key", Reason: reason, Type: "denied_authentication",
	}
}

// recover responds to a panic with an internal error, and logs its stack.
func (a *API) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				a.writeError(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}
