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
	// maxMessage is how many bytes of a server's message are shown.
	maxMessage = 2000
)

// Error is an answer, of the API or of the host that stores archives, whose
// status is not 2xx.
type Error struct {
	// Method and URL are those of the request. The URL has no query.
	Method, URL string
	StatusCode  int
	// Message is the server's message, made printable and truncated.
	Message string
	// RequestID identifies the call in the server's logs. It may be "".
	RequestID string
	// Argument is the argument that the server refused. It may be "".
	Argument string
	// Type is the API's type of the error. It may be "".
	Type string
	// JSON reports whether the answer has the form of the API's errors. An answer
	// of another form was sent by something between the client and the API.
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

// temporary reports whether the same request may succeed later.
func (e *Error) temporary() bool {
	return e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
}

// IsNotFound reports whether the API answered that the object does not exist. It
// is false for a 404 that does not have the form of the API's errors: such a 404
// comes from a wrong URL, and treating it as an answer would remove existing
// objects from the state.
func IsNotFound(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && answer.JSON
}

func ignoreNotFound(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}

// IsConflict reports whether the API answered that the object exists, or is in a
// state in which it cannot be changed.
func IsConflict(err error) bool {
	return hasStatus(err, http.StatusConflict)
}

// IsUnauthorized reports whether the API refused the key as unknown.
func IsUnauthorized(err error) bool {
	return hasStatus(err, http.StatusUnauthorized)
}

// IsForbidden reports whether the key lacks the permission for the call.
func IsForbidden(err error) bool {
	return hasStatus(err, http.StatusForbidden)
}

// quotaType is the API's error type for an exceeded quota.
const quotaType = "quotas_exceeded"

// IsQuotaExceeded reports whether the API answered that a quota is exceeded. The
// status may be 403, as for a missing permission.
func IsQuotaExceeded(err error) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.JSON &&
		(answer.Type == quotaType || answer.StatusCode == http.StatusForbidden && strings.Contains(strings.ToLower(answer.Message), "quota"))
}

// RefusedArgument returns the name of the argument that the API refused, or "" if
// the error names none.
func RefusedArgument(err error) string {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Argument
	}
	return ""
}

// IsUnreachable reports whether the connection to the server failed.
func IsUnreachable(err error) bool {
	return neverSent(err)
}

func hasStatus(err error, status int) bool {
	var answer *Error
	return errors.As(err, &answer) && answer.StatusCode == status
}

// readError returns the error of an answer, and closes its body.
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

// errorBody is the union of the bodies of Scaleway's errors.
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

// String joins the message and the fields that explain it.
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

// quotas lists each quota with its limit and its current use.
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

// printable makes untrusted text safe for a terminal: one line, no control
// characters, at most maxMessage bytes.
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
