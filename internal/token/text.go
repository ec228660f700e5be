package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxText is the maximum length of a token that Parse accepts, in bytes. Issued tokens
// have about a thousand.
const maxText = 16 << 10

// ErrMalformed is returned by Parse for a text that is not a function token. The
// wrapped error describes the problem without quoting the text.
var ErrMalformed = errors.New("not a function token")

// A Text is a parsed token. Its fields are unverified until VerifySignature and
// VerifyClaims have succeeded.
//
// Parsing and verification use the standard library instead of go-jose: go-jose accepts
// several encodings of the same token (stray bits and line breaks in base64url), while
// the gateway admits exactly the bytes that were issued; and it does not parse a token
// with another algorithm, which jeton token inspect prints.
type Text struct {
	// Header and Claims are the JSON objects of the token, unchanged.
	Header, Claims []byte
	// ID is the token's ID.
	ID string
	// NamespaceID and FunctionID are the scope. Issued tokens have one of the two.
	NamespaceID, FunctionID string
	Issuer, Audience        string
	// IssuedAt, NotBefore and ExpiresAt are zero if the token does not have the claim.
	IssuedAt, NotBefore, ExpiresAt time.Time

	algorithm string
	critical  bool
	// signed is the part of the text that the signature covers.
	signed    string
	signature []byte
}

// Parse parses a token without verifying it. It returns ErrMalformed if the text is not
// a function token or is longer than 16 KiB.
func Parse(text string) (Text, error) {
	t, err := parse(text)
	if err != nil {
		return Text{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return t, nil
}

func parse(text string) (t Text, err error) {
	if len(text) > maxText {
		return t, fmt.Errorf("the text is longer than %d bytes", maxText)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t, fmt.Errorf("got %d parts separated by dots, want 3", len(parts))
	}
	t.signed = parts[0] + "." + parts[1]
	for i, into := range []*[]byte{&t.Header, &t.Claims, &t.signature} {
		if *into, err = decodePart(parts[i]); err != nil {
			return t, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	if err := t.parseHeader(); err != nil {
		return t, fmt.Errorf("header: %w", err)
	}
	if err := t.parseClaims(); err != nil {
		return t, fmt.Errorf("claims: %w", err)
	}
	return t, nil
}

// decodePart decodes base64url and accepts exactly one encoding of each value: Strict
// refuses stray bits, and line breaks, which the decoder ignores, are refused here.
func decodePart(part string) ([]byte, error) {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("not base64url without padding")
	}
	return decoded, nil
}

func (t *Text) parseHeader() error {
	m, err := parseMembers(t.Header)
	if err != nil {
		return err
	}
	_, t.critical = m["crit"]
	return m.decode("alg", &t.algorithm)
}

func (t *Text) parseClaims() error {
	m, err := parseMembers(t.Claims)
	if err != nil {
		return err
	}
	var scopes []json.RawMessage
	if err := errors.Join(
		m.decode("jti", &t.ID), m.decode("iss", &t.Issuer), m.decode("aud", &t.Audience),
		m.decodeTime("iat", &t.IssuedAt), m.decodeTime("nbf", &t.NotBefore), m.decodeTime("exp", &t.ExpiresAt),
		m.decode("application_claim", &scopes),
	); err != nil {
		return err
	}
	if len(scopes) != 1 {
		return fmt.Errorf("application_claim has %d entries, want 1", len(scopes))
	}
	scope, err := parseMembers(scopes[0])
	if err != nil {
		return fmt.Errorf("application_claim: %w", err)
	}
	return errors.Join(scope.decode("namespace_id", &t.NamespaceID), scope.decode("application_id", &t.FunctionID))
}

// members are the members of a JSON object by their exact names. A struct would also
// match names in other letter case, such as EXP for exp.
type members map[string]json.RawMessage

func parseMembers(object []byte) (members, error) {
	var m members
	if err := json.Unmarshal(object, &m); err != nil || m == nil {
		return nil, errors.New("not a JSON object")
	}
	return m, nil
}

// decode decodes a member. It leaves the destination unchanged if the member is absent.
func (m members) decode(name string, into any) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s has the wrong type", name)
	}
	return nil
}

// decodeTime decodes a time in whole seconds since 1970, up to the year 9999. Any other
// value is an error, so that an invalid exp is not treated as "does not expire".
func (m members) decodeTime(name string, into *time.Time) error {
	raw, ok := m[name]
	if !ok {
		return nil
	}
	const lastSecond = 253402300799
	var seconds *int64
	if err := json.Unmarshal(raw, &seconds); err != nil || seconds == nil || *seconds < 0 || *seconds > lastSecond {
		return fmt.Errorf("%s is not a time in whole seconds from 1970 to 9999", name)
	}
	*into = time.Unix(*seconds, 0).UTC()
	return nil
}
