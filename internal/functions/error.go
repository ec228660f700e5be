package functions

import (
	"errors"
	"fmt"
)

// Code says what kind of thing went wrong. The API turns each into one HTTP
// status.
type Code string

// The codes.
const (
	InvalidArgument  Code = "invalid_argument"
	NotFound         Code = "not_found"
	AlreadyExists    Code = "already_exists"
	TransientState   Code = "transient_state"
	QuotaExceeded    Code = "quota_exceeded"
	PermissionDenied Code = "permission_denied"
	// PreconditionFailed is a change that something else must come before.
	PreconditionFailed Code = "precondition_failed"
	// Unavailable is a fault of what the server stands on, such as a full disk,
	// which ends without a change of the call.
	Unavailable Code = "unavailable"
	Internal    Code = "internal"
)

// An Error is what the service answers in place of a result. Its text is
// written for the person who made the call.
type Error struct {
	Code    Code
	Message string
	// Argument, for InvalidArgument, is the name of the argument in the API;
	// Reason is "required", "format", "constraint" or "unknown".
	Argument, Reason string
	// Resource and ResourceID name the thing that the error is about.
	Resource, ResourceID string
	// Precondition, for PreconditionFailed, names what must be so.
	Precondition string
	// State is the state that forbids the call, for TransientState.
	State Status
	// Quota is how many there may be of Resource, and Current how many there are
	// or would be, for QuotaExceeded.
	Quota, Current int
}

// Error implements error.
func (e *Error) Error() string {
	if e.Argument != "" {
		return e.Argument + ": " + e.Message
	}
	return e.Message
}

// CodeOf returns the code of err; anything that is not an Error is Internal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// IsNotFound tells whether err says that a thing is not there.
func IsNotFound(err error) bool { return err != nil && CodeOf(err) == NotFound }

// NotFoundError is the answer for a thing that is not there, or that the
// caller may not know of: the two look the same.
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

// refused is an InvalidArgument whose whole text is known from the real
// service, where it comes without naming the argument.
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
