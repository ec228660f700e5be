package foreign

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
)

// maxText is the maximum length of a token that is parsed, in bytes. Scaleway's tokens
// have 1063 bytes at most.
const maxText = 4096

// header is the only accepted first part: {"alg":"RS256","typ":"JWT"} in base64url. All
// recorded tokens of 2022 to 2026 have it. No other header is parsed, so that a token
// cannot select an algorithm or a key.
const header = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"

// The claims that all function tokens have in common.
const (
	issuer   = "SCALEWAY"
	audience = "functions"
	subject  = "token"
	version  = "2"
)

// A Text is a parsed token. Nothing in it is verified before Verify has succeeded.
type Text struct {
	ID uuid.UUID
	// NamespaceID and FunctionID are the scope: exactly one is set.
	NamespaceID, FunctionID uuid.UUID
	// ExpiresAt is zero without the claim.
	NotBefore, ExpiresAt time.Time

	// signed is the part of the text that the signature covers.
	signed    string
	signature []byte
}

// LooksLikeToken reports whether a text may be a function token of another issuer. It is
// for texts that are no token of this server, and costs no parsing.
func LooksLikeToken(text string) bool {
	return len(text) <= maxText && strings.HasPrefix(text, header+".")
}

// Parse parses a token. It accepts only the form of Scaleway's tokens: the one header, one
// encoding of each part, JSON without duplicate or unknown members, the claims with the
// common values, and exactly one scope. Its errors do not quote the text.
func Parse(text string) (Text, error) {
	if !LooksLikeToken(text) {
		return Text{}, errors.New("not a function token: the header differs, or the text is too long")
	}
	payload, signature, ok := strings.Cut(text[len(header)+1:], ".")
	if !ok || strings.Contains(signature, ".") {
		return Text{}, errors.New("not a function token: want three parts")
	}
	claims, err := decodePart(payload)
	if err != nil {
		return Text{}, fmt.Errorf("claims: %w", err)
	}
	t := Text{signed: text[:len(header)+1+len(payload)]}
	if t.signature, err = decodePart(signature); err != nil {
		return Text{}, fmt.Errorf("signature: %w", err)
	}
	if err := t.parseClaims(claims); err != nil {
		return Text{}, fmt.Errorf("claims: %w", err)
	}
	return t, nil
}

// decodePart decodes base64url and accepts one encoding of each value. Strict refuses
// stray bits; the decoder ignores line breaks, which are refused here.
func decodePart(part string) ([]byte, error) {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("not base64url without padding")
	}
	return decoded, nil
}

func (t *Text) parseClaims(object []byte) error {
	m, err := parseObject(object, "application_claim", "version", "aud", "exp", "jti", "iat", "iss", "nbf", "sub")
	if err != nil {
		return err
	}
	for name, want := range map[string]string{
		"iss": strconv.Quote(issuer), "aud": strconv.Quote(audience), "sub": strconv.Quote(subject), "version": version,
	} {
		if string(m[name]) != want {
			return fmt.Errorf("%s is not %s", name, want)
		}
	}
	var issuedAt time.Time
	if err := errors.Join(
		parseID(m, "jti", &t.ID), parseSeconds(m, "iat", &issuedAt), parseSeconds(m, "nbf", &t.NotBefore), t.parseScope(m["application_claim"]),
	); err != nil {
		return err
	}
	if t.ID == uuid.Nil {
		return errors.New("jti is empty")
	}
	if _, expires := m["exp"]; expires {
		return parseSeconds(m, "exp", &t.ExpiresAt)
	}
	return nil
}

// parseScope parses application_claim, a list of one object. A token with both IDs would
// be valid for more than the imported token, and is refused.
func (t *Text) parseScope(list json.RawMessage) error {
	var scopes []json.RawMessage
	if err := json.Unmarshal(list, &scopes); err != nil || len(scopes) != 1 {
		return errors.New("application_claim is not a list of one object")
	}
	m, err := parseObject(scopes[0], "namespace_id", "application_id")
	if err != nil {
		return fmt.Errorf("application_claim: %w", err)
	}
	if err := errors.Join(parseID(m, "namespace_id", &t.NamespaceID), parseID(m, "application_id", &t.FunctionID)); err != nil {
		return err
	}
	if (t.NamespaceID == uuid.Nil) == (t.FunctionID == uuid.Nil) {
		return errors.New("application_claim does not have exactly one scope")
	}
	return nil
}

// parseObject returns the members of a JSON object. Names are compared exactly; an unknown
// or repeated name and data after the object are errors.
func parseObject(object []byte, names ...string) (map[string]json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	members := make(map[string]json.RawMessage, len(names))
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, errors.New("not a JSON object")
		}
		known := ""
		for _, n := range names {
			if name == n {
				known = n
			}
		}
		if _, twice := members[known]; twice || known == "" {
			return nil, errors.New("a member is unknown or repeated")
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errors.New("not a JSON object")
		}
		members[known] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errors.New("not a JSON object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the JSON object")
	}
	return members, nil
}

// parseID parses a string that is empty or a UUID in its canonical form.
func parseID(m map[string]json.RawMessage, name string, into *uuid.UUID) error {
	var text *string
	if err := json.Unmarshal(m[name], &text); err != nil || text == nil {
		return fmt.Errorf("%s is not a string", name)
	}
	if *text == "" {
		return nil
	}
	if !functions.ValidID(*text) {
		return fmt.Errorf("%s is not a UUID", name)
	}
	*into = uuid.MustParse(*text)
	return nil
}

// parseSeconds parses a time in whole seconds since 1970, up to the year 9999, written as
// digits only.
func parseSeconds(m map[string]json.RawMessage, name string, into *time.Time) error {
	const lastSecond = 253402300799
	seconds, err := strconv.ParseUint(string(m[name]), 10, 63)
	if err != nil || seconds > lastSecond {
		return fmt.Errorf("%s is not a time in whole seconds", name)
	}
	*into = time.Unix(int64(seconds), 0).UTC()
	return nil
}

// Verify verifies the signature by RS256, and no other algorithm.
func (t Text) Verify(key *rsa.PublicKey) error {
	digest := sha256.Sum256([]byte(t.signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], t.signature)
}
