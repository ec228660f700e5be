package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// maxBody is room for a request with a hundred secret variables of the largest
// size, and then some.
const maxBody = 8 << 20

// decode reads a request's JSON body. Fields that are not known are passed
// over, because newer clients send more; no body is an empty object.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &functions.Error{
			Code:    functions.InvalidArgument,
			Message: "the request's body is too large: at most " + strconv.Itoa(maxBody) + " bytes",
		}
	}
	if err != nil {
		return &functions.Error{Code: functions.InvalidArgument, Message: "the request's body could not be read whole"}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return malformedBody(err)
	}
	return nil
}

// malformedBody says what is wrong with a body without repeating any of it: a
// secret may be what stands there.
func malformedBody(err error) error {
	if e, ok := errors.AsType[*functions.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &functions.Error{
			Code: functions.InvalidArgument, Argument: strings.ToLower(e.Field), Reason: "format",
			Message: "has the wrong type: " + article(e.Value) + " is given",
		}
	}
	text := "the request's body is not valid JSON"
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		text += ", at byte " + strconv.FormatInt(e.Offset, 10)
	}
	return &functions.Error{Code: functions.InvalidArgument, Message: text}
}

// article puts the name of a JSON type, which may carry a value behind a
// blank, into a sentence.
func article(jsonType string) string {
	kind, _, _ := strings.Cut(jsonType, " ")
	if kind == "array" || kind == "object" {
		return "an " + kind
	}
	return "a " + kind
}

// writeJSON writes an answer as Scaleway does: compact, not escaped for HTML,
// without a final line break.
func (a *API) writeJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		notedFor(r).err = err
		status = http.StatusInternalServerError
		encoded.Reset()
		encoded.WriteString(`{"message":"internal error"}`)
	}
	content := bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	// A client that went away has no use for an answer.
	_, _ = w.Write(content)
}

// setStandardHeaders sets what every recorded answer has.
func setStandardHeaders(h http.Header, requestID string) {
	h.Set("Server", "Jeton")
	h.Set("X-Request-Id", requestID)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=63072000")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// A stamp is a point in time as the API writes it, in microseconds, rounded to the
// nearest, ties to even. One that this call has set carries nine digits, of which the
// last three are 0, and one that was kept carries six: all answers of one object name
// the same instant.
type stamp struct {
	time  time.Time
	fresh bool
}

const (
	freshLayout = "2006-01-02T15:04:05.000000000Z"
	keptLayout  = "2006-01-02T15:04:05.000000Z"
)

// MarshalJSON implements json.Marshaler; the zero time is null.
func (s stamp) MarshalJSON() ([]byte, error) {
	if s.time.IsZero() {
		return []byte("null"), nil
	}
	layout := keptLayout
	if s.fresh {
		layout = freshLayout
	}
	return roundHalfEven(s.time.UTC()).AppendFormat(nil, `"`+layout+`"`), nil
}

func roundHalfEven(t time.Time) time.Time {
	rest := t.Nanosecond() % 1000
	up := rest > 500 || rest == 500 && t.Nanosecond()/1000%2 == 1
	t = t.Add(-time.Duration(rest))
	if up {
		t = t.Add(time.Microsecond)
	}
	return t
}

// A duration is written in the shortest form of Protobuf's JSON, such as
// "300s", and read in any.
type duration time.Duration

// MarshalJSON implements json.Marshaler.
func (d duration) MarshalJSON() ([]byte, error) {
	seconds := strconv.FormatFloat(time.Duration(d).Seconds(), 'f', -1, 64)
	return []byte(`"` + seconds + `s"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *duration) UnmarshalJSON(text []byte) error {
	var value string
	if err := json.Unmarshal(text, &value); err != nil {
		return wrongDuration()
	}
	seconds, ok := strings.CutSuffix(value, "s")
	if !ok || strings.Trim(seconds, "0123456789.") != "" {
		return wrongDuration()
	}
	parsed, err := time.ParseDuration(value)
	if err != nil {
		return wrongDuration()
	}
	*d = duration(parsed)
	return nil
}

func wrongDuration() error {
	return &functions.Error{
		Code: functions.InvalidArgument, Argument: "timeout", Reason: "format",
		Message: `must be a number of seconds with an "s" behind it, such as "300s"`,
	}
}

// nullable writes an empty text as null.
type nullable string

// MarshalJSON implements json.Marshaler.
func (n nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(string(n))
	return bytes.TrimSuffix(encoded.Bytes(), []byte("\n")), err
}

// given turns the values that clients send for "not given" into none: the SDK
// for Go sends unknown_runtime and its like in every request.
func given(enum string) string {
	if strings.HasPrefix(enum, "unknown_") {
		return ""
	}
	return enum
}

// orEmpty has a list written as [] and never as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// orNone has a map written as {} and never as null.
func orNone(variables map[string]string) map[string]string {
	if variables == nil {
		return map[string]string{}
	}
	return variables
}
