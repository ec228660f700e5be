package secret

import "log/slog"

const redacted = "[redacted]"

// A String holds a token, an API secret key or a secret variable. However it
// is printed, logged or encoded it reads "[redacted]"; Reveal is the one way
// to its value, so that every place that sees it can be found by name.
type String struct{ value string }

// New wraps a value.
func New(value string) String { return String{value: value} }

// Reveal returns the value.
func (s String) Reveal() string { return s.value }

// String implements fmt.Stringer.
func (String) String() string { return redacted }

// GoString implements fmt.GoStringer, for the verb %#v.
func (String) GoString() string { return redacted }

// LogValue implements slog.LogValuer.
func (String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, and so keeps the value out of
// JSON as well.
func (String) MarshalText() ([]byte, error) { return []byte(redacted), nil }
