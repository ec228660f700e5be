package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
)

// maxBody is the maximum size of a request body, in bytes. It is sufficient for a hundred
// secret variables of the maximum size.
const maxBody = 8 << 20

// decode decodes the JSON body of a request. It ignores unknown fields, because newer
// clients send more; an empty body is an empty object.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &functions.Error{
			Code:    functions.InvalidArgument,
			Message: "the request's body is too large: at most " + strconv.Itoa(maxBody) + " bytes",
		}
	}
	if err != nil {
		return &functions.Error{Code: functions.InvalidArgument, Message: "the request's body is incomplete"}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return malformedBody(err)
	}
	return nil
}

// malformedBody describes what is wrong with a body without quoting it, because it may
// contain secrets.
func malformedBody(err error) error {
	if e, ok := errors.AsType[*functions.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &functions.Error{
			Code: functions.InvalidArgument, Argument: strings.ToLower(e.Field), Reason: "format",
			Message: "has the wrong type: " + withArticle(e.Value) + " is given",
		}
	}
	text := "the request's body is not valid JSON"
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		text += ", at byte " + strconv.FormatInt(e.Offset, 10)
	}
	return &functions.Error{Code: functions.InvalidArgument, Message: text}
}

// withArticle returns the name of a JSON type with its article. It removes the value that
// UnmarshalTypeError appends to the name after a space.
func withArticle(jsonType string) string {
	kind, _, _ := strings.Cut(jsonType, " ")
	if kind == "array" || kind == "object" {
		return "an " + kind
	}
	return "a " + kind
}

// writeJSON writes a response in the form of Scaleway's: compact, without HTML escaping,
// and without a final line break.
func (a *API) writeJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	content, err := marshal(body)
	if err != nil {
		infoOf(r).err = err
		status = http.StatusInternalServerError
		content = []byte(`{"message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	_, _ = w.Write(content)
}

// marshal is json.Marshal without HTML escaping.
func marshal(value any) ([]byte, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(encoded.Bytes(), []byte("\n")), nil
}

// setStandardHeaders sets the headers that all recorded responses have.
func setStandardHeaders(h http.Header, requestID string) {
	h.Set("Server", "Jeton")
	h.Set("X-Request-Id", requestID)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=63072000")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
