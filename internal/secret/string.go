package secret

import "log/slog"

const redacted = "[redacted]"

// A String holds a token, an API secret key or a secret variable. It prints, logs and
// encodes as "[redacted]". Only Reveal returns the value, so that a search for its
// callers finds every use. The zero value holds the empty string.
type String struct{ value string }

// New returns a String that holds value.
func New(value string) String { return String{value: value} }

// Reveal returns the value.
func (s String) Reveal() string { return s.value }

// String implements fmt.Stringer. It returns "[redacted]".
func (String) String() string { return redacted }

// GoString implements fmt.GoStringer, for the verb %#v. It returns "[redacted]".
func (String) GoString() string { return redacted }

// LogValue implements slog.LogValuer. It returns "[redacted]".
func (String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses as well. It
// returns "[redacted]".
func (String) MarshalText() ([]byte, error) { return []byte(redacted), nil }
