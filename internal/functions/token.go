package functions

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
	"unsafe"

	"github.com/jeton-dev/jeton/internal/secret"
)

// Digest is the SHA-256 of a token's text: all that is kept of it.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a token's text. It copies nothing: each call of
// a private function goes through here.
func DigestOf(text string) Digest {
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(text), len(text)))
}

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, d[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	_, err := hex.Decode(d[:], text[:min(len(text), hex.EncodedLen(len(d)))])
	return err
}

// A Token opens one private function, or all private functions of one
// namespace, until it expires or is deleted. Its text is not kept.
type Token struct {
	ID        string
	Region    Region
	ProjectID string
	// NamespaceID and FunctionID are the scope as it was asked for: exactly
	// one of them is set.
	NamespaceID string
	FunctionID  string
	Description string
	Status      Status
	CreatedAt   time.Time
	// ExpiresAt is the first instant at which the token opens nothing more;
	// zero for a token that does not expire.
	ExpiresAt time.Time
	Digest    Digest
}

// ObjectID implements Object.
func (t Token) ObjectID() string { return t.ID }

// CreateToken is what a new token is made from: exactly one of NamespaceID
// and FunctionID, and an expiry unless ExpiresAt is zero.
type CreateToken struct {
	NamespaceID string
	FunctionID  string
	Description string
	ExpiresAt   time.Time
}

// An IssuedToken is a token at the only moment at which its text is known.
type IssuedToken struct {
	Token
	Text secret.String
	// PublicKey is the namespace's, which checks the text's signature.
	PublicKey string
}

// maxDescription bounds the descriptions of all objects, in bytes; the real
// bound is not known.
const maxDescription = 4096

func (c CreateToken) validate() error {
	switch {
	case c.NamespaceID == "" && c.FunctionID == "":
		return &Error{
			Code: InvalidArgument, Argument: "function_id", Reason: "required",
			Message: "one of function_id and namespace_id is required",
		}
	case c.NamespaceID != "" && c.FunctionID != "":
		return outOfBounds("function_id", "only one of function_id and namespace_id can be given")
	case c.NamespaceID != "" && !ValidID(c.NamespaceID):
		return malformed("namespace_id", "must be a UUID")
	case c.FunctionID != "" && !ValidID(c.FunctionID):
		return malformed("function_id", "must be a UUID")
	}
	return validDescription(c.Description)
}
