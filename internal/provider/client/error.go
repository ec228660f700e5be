package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

const (
	requestIDHeader = "X-Request-Id"
	// maxMessage bounds, in bytes, what is shown of a message from outside.
	maxMessage = 2000
)

// Error is an answer of the API, or of the host that takes uploads, that is no
// success.
type Error struct {
	// Method and URL say what was asked; the URL is without its query.
	Method, URL string
	StatusCode  int
	// Message is the server's own, made printable and cut to a bounded length.
	Message string
	// RequestID is how the server's operators find the call, or "".
	RequestID string
	// Argument is the one that the server does not take, or "".
	Argument string
	// Type is the kind of error that the API names, or "".
	Type string
	// JSON reports whether the answer had the form of the API's errors. An
	// answer of another form comes from something else on the way.
	JSON bool
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s answered %d %s", e.Method, e.URL, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// temporary reports whether the server may answer otherwise later.
func (e *Error) temporary() bool {
	return e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
}

// IsNotFound reports whether the API said that there is no such object. A 404 in
// another form than the API's is an error like any other: it comes from a wrong
// address, and to take it for an answer would make users lose their objects from
// the state.
func IsNotFound(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && answer.JSON
}

// IsConflict reports whether the API said that the object exists already, or is
// in a state in which it cannot be changed.
func IsConflict(err error) bool {
	return hasStatus(err, http.StatusConflict)
}

// IsUnauthorized reports whether the API does not know the caller's key.
func IsUnauthorized(err error) bool {
	return hasStatus(err, http.StatusUnauthorized)
}

// IsForbidden reports whether the caller's key does not allow the call.
func IsForbidden(err error) bool {
	return hasStatus(err, http.StatusForbidden)
}

// quotaType is the type of the API's errors that a quota is used up.
const quotaType = "quotas_exceeded"

// IsQuotaExceeded reports whether the API said that a quota is used up, which it may
// answer with the same status as a key without permissions.
func IsQuotaExceeded(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.JSON &&
		(answer.Type == quotaType || answer.StatusCode == http.StatusForbidden && strings.Contains(strings.ToLower(answer.Message), "quota"))
}

// RefusedArgument returns the name of the argument that the API does not take, or
// "" if it did not say so.
func RefusedArgument(err error) string {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Argument
	}
	return ""
}

// IsUnreachable reports whether no connection to the server was made.
func IsUnreachable(err error) bool {
	return neverSent(err)
}

func hasStatus(err error, status int) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.StatusCode == status
}

// readError reads the answer and closes its body.
func readError(req *http.Request, resp *http.Response) *Error {
	e := &Error{
		Method:     req.Method,
		URL:        fmt.Sprintf("%s://%s%s", req.URL.Scheme, req.URL.Host, req.URL.Path),
		StatusCode: resp.StatusCode,
		RequestID:  printable(resp.Header.Get(requestIDHeader)),
	}
	content := readBounded(resp.Body, maxErrorBody)
	var body errorBody
	if json.Unmarshal(content, &body) == nil && body.Message != "" {
		e.JSON = true
		e.Message = printable(body.String())
		e.Type = printable(body.Type)
		if len(body.Details) > 0 {
			e.Argument = printable(body.Details[0].ArgumentName)
		}
		return e
	}
	e.Message = printable(string(content))
	return e
}

// errorBody is the union of the forms in which Scaleway's APIs report errors.
type errorBody struct {
	Type        string `json:"type"`
	Message     string `json:"message"`
	HelpMessage string `json:"help_message"`
	Reason      string `json:"reason"`
	Details     []struct {
		ArgumentName string `json:"argument_name"`
		HelpMessage  string `json:"help_message"`
		Reason       string `json:"reason"`
		Action       string `json:"action"`
		Resource     string `json:"resource"`
		Quota        uint64 `json:"quota"`
		Current      uint64 `json:"current"`
	} `json:"details"`
}

// String joins what the forms say beyond their message.
func (b errorBody) String() string {
	parts := []string{b.Message, b.HelpMessage, b.Reason}
	if b.Type == quotaType {
		return joinSet(": ", append(parts, b.quotas())...)
	}
	for _, detail := range b.Details {
		parts = append(parts, joinSet(" ", detail.ArgumentName, detail.Reason, detail.HelpMessage, detail.Action, detail.Resource))
	}
	return joinSet(": ", parts...)
}

// quotas says how large each quota is, and how much of it is or would be used.
func (b errorBody) quotas() string {
	var used []string
	for _, detail := range b.Details {
		if detail.Quota > 0 {
			used = append(used, joinSet(" ", detail.Resource, fmt.Sprintf("quota %d, current %d", detail.Quota, detail.Current)))
		}
	}
	return strings.Join(used, ", ")
}

func joinSet(separator string, parts ...string) string {
	var set []string
	for _, part := range parts {
		if part != "" {
			set = append(set, part)
		}
	}
	return strings.Join(set, separator)
}

// printable makes text from outside fit for a terminal: on one line, without
// control characters, of bounded length.
func printable(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), maxMessage)], "")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
