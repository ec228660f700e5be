package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxText bounds what is taken for a token, in bytes. Those that are issued
// have about a thousand.
const maxText = 16 << 10

// ErrMalformed is returned for what is no token at all. What it wraps says why
// and repeats nothing of the text.
var ErrMalformed = errors.New("not a function token")

// A Text is a token taken apart. Nothing in it is to be believed before Verify
// has returned nil.
type Text struct {
	// Header and Claims are JSON, as they stand in the token.
	Header, Claims []byte
	// ID is the token's own.
	ID string
	// NamespaceID and FunctionID are the scope: one of them is empty.
	NamespaceID, FunctionID string
	Issuer, Audience        string
	// IssuedAt, NotBefore and ExpiresAt are zero where the token does not say.
	IssuedAt, NotBefore, ExpiresAt time.Time

	algorithm string
	critical  bool
	// signed is what the signature covers.
	signed    string
	signature []byte
}

// Parse takes a token apart without verifying it. Returns ErrMalformed.
func Parse(text string) (Text, error) {
	t, err := parse(text)
	if err != nil {
		return Text{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t, nil
}

func parse(text string) (t Text, err error) {
	if len(text) > maxText {
		return t, fmt.Errorf("it is longer than %d bytes", maxText)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t, fmt.Errorf("it has %d parts, and a token has three with dots between", len(parts))
	}
	t.signed = parts[0] + "." + parts[1]
	for i, into := range []*[]byte{&t.Header, &t.Claims, &t.signature} {
		if *into, err = decodePart(parts[i]); err != nil {
			return t, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	if err := t.readHeader(); err != nil {
		return t, fmt.Errorf("header: %w", err)
	}
	if err := t.readClaims(); err != nil {
		return t, fmt.Errorf("claims: %w", err)
	}
	return t, nil
}

// decodePart takes one spelling only. Go's decoder would pass over line breaks.
func decodePart(part string) ([]byte, error) {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("it is not base64url without padding")
	}
	return decoded, nil
}

func (t *Text) readHeader() error {
	m, err := readMembers(t.Header)
	if err != nil {
		return err
	}
	_, t.critical = m["crit"]
	return m.read("alg", &t.algorithm)
}

func (t *Text) readClaims() error {
	m, err := readMembers(t.Claims)
	if err != nil {
		return err
	}
	var scopes []json.RawMessage
	if err := errors.Join(
		m.read("jti", &t.ID), m.read("iss", &t.Issuer), m.read("aud", &t.Audience),
		m.readTime("iat", &t.IssuedAt), m.readTime("nbf", &t.NotBefore), m.readTime("exp", &t.ExpiresAt),
		m.read("application_claim", &scopes),
	); err != nil {
		return err
	}
	if len(scopes) != 1 {
		return fmt.Errorf("application_claim has %d entries, and a function token has one", len(scopes))
	}
	scope, err := readMembers(scopes[0])
	if err != nil {
		return fmt.Errorf("application_claim: %w", err)
	}
	return errors.Join(scope.read("namespace_id", &t.NamespaceID), scope.read("application_id", &t.FunctionID))
}

// members are those of a JSON object, by their exact names: encoding/json would
// take "EXP" for exp in a struct.
type members map[string]json.RawMessage

func readMembers(object []byte) (members, error) {
	var m members
	if err := json.Unmarshal(object, &m); err != nil || m == nil {
		return nil, errors.New("not a JSON object")
	}
	return m, nil
}

// read leaves the value as it is where there is no such member.
func (m members) read(name string, into any) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s has the wrong type", name)
	}
	return nil
}

// readTime reads whole seconds since 1970, up to the year 9999: a time that
// cannot be read must not pass for none.
func (m members) readTime(name string, into *time.Time) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	const lastSecond = 253402300799
	var seconds *int64
	if err := json.Unmarshal(raw, &seconds); err != nil || seconds == nil || *seconds < 0 || *seconds > lastSecond {
		return fmt.Errorf("%s is no time in whole seconds since 1970", name)
	}
	*into = time.Unix(*seconds, 0).UTC()
	return nil
}
