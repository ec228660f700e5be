package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// An access says how the current request has used the object that it returns. It decides
// the precision of the object's times.
type access int

const (
	read access = iota
	updated
	created
)

// A stamp is a time with a precision of microseconds, rounded to the nearest, ties to
// even. It is encoded with nine decimals (the last three are 0) in the response to the
// request that has set it, and with six in later ones, so that all responses have the same
// instant. The zero time is null.
type stamp struct {
	time  time.Time
	fresh bool
}

const (
	freshLayout = "2006-01-02T15:04:05.000000000Z"
	keptLayout  = "2006-01-02T15:04:05.000000Z"
)

// MarshalJSON implements json.Marshaler.
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

// roundHalfEven rounds a time to microseconds, ties to even. time.Round rounds ties up.
func roundHalfEven(t time.Time) time.Time {
	rest := t.Nanosecond() % 1000
	up := rest > 500 || rest == 500 && t.Nanosecond()/1000%2 == 1
	t = t.Add(-time.Duration(rest))
	if up {
		t = t.Add(time.Microsecond)
	}
	return t
}

// An expiry is a time in UTC with as many decimals as necessary. The zero time is null.
type expiry time.Time

// MarshalJSON implements json.Marshaler.
func (e expiry) MarshalJSON() ([]byte, error) {
	if time.Time(e).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(e).UTC().MarshalJSON()
}

// A duration is encoded in the JSON form of Protobuf with the fewest digits, such as
// "300s". Decoding accepts any number of digits.
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
		Message: `must be a number of seconds with the suffix "s", such as "300s"`,
	}
}

// A nullable is a string that is encoded as null if it is empty.
type nullable string

// MarshalJSON implements json.Marshaler.
func (n nullable) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return marshal(string(n))
}

// given returns an enumeration value of a request, or the empty string for a value such as
// unknown_runtime, which Scaleway's SDK for Go sends for fields that are not set.
func given(value string) string {
	if strings.HasPrefix(value, "unknown_") {
		return ""
	}
	return value
}

// listOrEmpty returns the list, or an empty one for nil, which would be encoded as null.
func listOrEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// mapOrEmpty returns the map, or an empty one for nil, which would be encoded as null.
func mapOrEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// encodeAll encodes a page of a list.
func encodeAll[T, R any](objects []T, encode func(T, access) R) []R {
	encoded := make([]R, len(objects))
	for i, object := range objects {
		encoded[i] = encode(object, read)
	}
	return encoded
}
