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

// message is the bare body of the Functions API's own errors.
type message struct {
	Message string `json:"message"`
}

// The other shapes are those of Scaleway's API gateway and of its newer APIs,
// with the keys in alphabetical order, as they were recorded.
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

// writeError is the one place where an error becomes an answer. What is not
// meant for the caller goes to the log only, under the request's ID.
func (a *API) writeError(w http.ResponseWriter, r *http.Request, err error) {
	notedFor(r).err = err
	if errors.Is(err, errTooManyAttempts) {
		writeRateLimited(w)
		return
	}
	status, body := errorBody(err)
	a.writeJSON(w, r, status, body)
}

// missing is a thing that is not there, in an API of the newer kind.
type missing struct{ resource, id string }

// Error implements error.
func (m missing) Error() string { return m.resource + " " + m.id + " is not found" }

// errTooManyAttempts refuses a wrong key, or a wrong signature, of one who has shown
// many.
var errTooManyAttempts = errors.New("too many wrong API keys or signatures from this address")

// writeRateLimited answers as the gateway in front of the real service was
// recorded to: with one header, and without a body or any of the others.
func writeRateLimited(w http.ResponseWriter) {
	header := w.Header()
	requestID := header.Get("X-Request-Id")
	clear(header)
	header.Set("X-Request-Id", requestID) // ours, to be found in the log
	header.Set("X-Envoy-Ratelimited", "true")
	header.Set("Content-Length", "0")
	w.WriteHeader(http.StatusTooManyRequests)
}

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
		// By the caller, who has left, or by the end of the server. A change that
		// has begun is not cut off.
		return http.StatusServiceUnavailable, message{"the request was cut off before it was carried out"}
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
			HelpMessage: "choose another name, or use the one that exists",
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
		return http.StatusForbidden, permission{iam.Write, e.Resource}.denied(e.Message)
	}
	return http.StatusInternalServerError, message{"internal error"}
}

func denied(reason string) deniedAuthentication {
	return deniedAuthentication{
		Message: "authentication is denied", Method: "api_key", Reason: reason, Type: "denied_authentication",
	}
}

// recover answers a panic as any other internal error, and logs where it was.
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
