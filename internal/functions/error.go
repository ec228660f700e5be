package functions

import (
	"errors"
	"fmt"
)

// Code classifies an Error. The API maps each code to one HTTP status.
type Code string

// The codes.
const (
	InvalidArgument  Code = "invalid_argument"
	NotFound         Code = "not_found"
	AlreadyExists    Code = "already_exists"
	TransientState   Code = "transient_state"
	QuotaExceeded    Code = "quota_exceeded"
	PermissionDenied Code = "permission_denied"
	// PreconditionFailed means that something else must be done first.
	PreconditionFailed Code = "precondition_failed"
	// Unavailable is a temporary fault of the server, such as a full disk. The same
	// call may succeed later.
	Unavailable Code = "unavailable"
	Internal    Code = "internal"
)

// An Error is an error whose text is meant for the caller of the API.
type Error struct {
	Code    Code
	Message string
	// Argument is the name of the invalid argument in the API, and Reason is
	// "required", "format", "constraint" or "unknown". Only for InvalidArgument.
	Argument, Reason string
	// Resource and ResourceID are the kind and ID of the affected object.
	Resource, ResourceID string
	// Precondition names the missing condition, for PreconditionFailed.
	Precondition string
	// State is the status that forbids the call, for TransientState.
	State Status
	// Quota is the maximum number of Resource, and Current the number that exists
	// or was requested, for QuotaExceeded.
	Quota, Current int
}

// Error implements error.
func (e *Error) Error() string {
	if e.Argument != "" {
		return e.Argument + ": " + e.Message
	}
	return e.Message
}

// ErrCondemned is returned for a change that refers to a stored file which is going to be
// deleted. The caller stores the file again.
var ErrCondemned = &Error{Code: Unavailable, Message: "the code was removed while it was being deployed: try again"}

// CodeOf returns the code of err, or Internal if err is not an Error.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// IsNotFound reports whether err has the code NotFound.
func IsNotFound(err error) bool { return err != nil && CodeOf(err) == NotFound }

// NotFoundError returns the error for an object that does not exist, or that the
// caller may not access. Both look the same.
func NotFoundError(resource, id string) error {
	return &Error{Code: NotFound, Resource: resource, ResourceID: id, Message: resource + " was not found"}
}

func required(argument string) error {
	return &Error{Code: InvalidArgument, Argument: argument, Reason: "required", Message: "is required"}
}

func malformed(argument, format string, args ...any) error {
	return &Error{Code: InvalidArgument, Argument: argument, Reason: "format", Message: fmt.Sprintf(format, args...)}
}

func outOfBounds(argument, format string, args ...any) error {
	return &Error{Code: InvalidArgument, Argument: argument, Reason: "constraint", Message: fmt.Sprintf(format, args...)}
}

// refused returns an InvalidArgument whose whole text is the real service's, which
// does not name the argument.
func refused(message string) error {
	return &Error{Code: InvalidArgument, Message: message}
}

func transient(resource, id string, state Status) error {
	return &Error{
		Code: TransientState, Resource: resource, ResourceID: id, State: state,
		Message: "resource is in a transient state",
	}
}

func quotaExceeded(resource string, quota, current int) error {
	return &Error{
		Code: QuotaExceeded, Resource: resource, Quota: quota, Current: current,
		Message: fmt.Sprintf("quota exceeded: at most %d %ss", quota, resource),
	}
}
