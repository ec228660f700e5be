package functions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
	"unsafe"

	"github.com/jeton-dev/jeton/internal/secret"
)

const tokenResource = "Token"

// Digest is the SHA-256 digest of a token's text. The text itself is not stored.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a token's text. It does not copy the text, because
// it runs for every call of a private function.
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

// A Token admits calls to one private function, or to all private functions of one
// namespace, until it expires or is deleted.
type Token struct {
	ID        string
	Region    Region
	ProjectID string
	// NamespaceID and FunctionID are the scope. Exactly one of them is set.
	NamespaceID string
	FunctionID  string
	Description string
	Status      Status
	CreatedAt   time.Time
	// ExpiresAt is the first instant at which the token is refused; zero if it does
	// not expire.
	ExpiresAt time.Time
	// Digest is zero for a foreign token that was not adopted yet.
	Digest Digest
	// Issuer is the API host of the service that has issued the token; empty for a token
	// of this server. AdoptedAt is when a foreign token was first used here.
	Issuer    string    `json:",omitempty"`
	AdoptedAt time.Time `json:",omitzero"`
}

// ObjectID implements Object.
func (t Token) ObjectID() string { return t.ID }

// MarkReady makes a new token ready. It reports whether the token was being created.
func (t *Token) MarkReady() bool {
	if t.Status != Creating {
		return false
	}
	t.Status = Ready
	return true
}

// CreateToken describes a new token. Exactly one of NamespaceID and FunctionID is
// set. A fraction of a second of ExpiresAt is dropped, because the token's text has
// whole seconds; zero means that the token does not expire.
type CreateToken struct {
	NamespaceID string
	FunctionID  string
	Description string
	ExpiresAt   time.Time
}

// An IssuedToken is a new token with its text, which cannot be read again.
type IssuedToken struct {
	Token
	Text secret.String
	// PublicKey is the key of the namespace that verifies the signature of the text.
	PublicKey string
}

// maxDescription is the maximum length of the descriptions of all objects, in bytes.
// The limit of the real service is not known.
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

// CreateToken creates a token for one function, or for all functions of one
// namespace.
func (s *Service) CreateToken(ctx context.Context, scope Scope, c CreateToken) (IssuedToken, error) {
	if err := c.validate(); err != nil {
		return IssuedToken{}, err
	}
	issuer, err := get(ctx, s.config.Store, func(tx Tx) (Namespace, error) { return tokenIssuer(tx, scope, c) })
	if err != nil {
		return IssuedToken{}, err
	}
	t := Token{
		ID: s.config.NewID(), Region: scope.Region, ProjectID: issuer.ProjectID,
		NamespaceID: c.NamespaceID, FunctionID: c.FunctionID, Description: c.Description,
		Status: Creating, CreatedAt: s.config.Now(),
	}
	if !c.ExpiresAt.IsZero() {
		t.ExpiresAt = c.ExpiresAt.UTC().Truncate(time.Second)
	}
	// Signing takes milliseconds, so it happens before the transaction, which then
	// checks again that the token may be created.
	text, err := s.config.Minter.Mint(issuer, t)
	if err != nil {
		return IssuedToken{}, err
	}
	t.Digest = DigestOf(text.Reveal())
	issued := IssuedToken{Token: t, Text: text, PublicKey: issuer.PublicKey}
	return issued, s.config.Store.Update(ctx, func(tx Tx) error {
		if _, err := tokenIssuer(tx, scope, c); err != nil {
			return err
		}
		if err := s.tokenQuotas(tx, t); err != nil {
			return err
		}
		return tx.Put(t)
	})
}

// tokenIssuer returns the namespace whose key signs a new token. It returns an error
// if the function or namespace that the token is for does not exist or is being
// deleted.
func tokenIssuer(tx Tx, scope Scope, c CreateToken) (Namespace, error) {
	namespaceID := c.NamespaceID
	if c.FunctionID != "" {
		f, err := function(tx, scope, c.FunctionID)
		if err != nil {
			return Namespace{}, err
		}
		if f.Status == Deleting {
			return Namespace{}, transient("function", f.ID, f.Status)
		}
		namespaceID = f.NamespaceID
	}
	n, err := namespace(tx, scope, namespaceID)
	if err != nil {
		return n, err
	}
	if n.Status == Deleting || n.PrivateKey == nil {
		return n, transient("namespace", n.ID, n.Status)
	}
	return n, nil
}

// Token returns one token.
func (s *Service) Token(ctx context.Context, scope Scope, id string) (Token, error) {
	return get(ctx, s.config.Store, func(tx Tx) (Token, error) { return findToken(tx, scope, id) })
}

// findToken returns a token that the scope covers.
func findToken(tx Tx, scope Scope, id string) (Token, error) {
	t, err := tx.Token(id)
	if err != nil {
		return t, err
	}
	if !scope.sees(t.Region, t.ProjectID) {
		return Token{}, NotFoundError(tokenResource, id)
	}
	return t, nil
}

// Tokens returns one page of the tokens of a function or of a namespace, and the
// number of all. The tokens of a namespace do not include those of its functions.
func (s *Service) Tokens(ctx context.Context, scope Scope, filter Filter, page Page) ([]Token, int, error) {
	wanted := CreateToken{NamespaceID: filter.NamespaceID, FunctionID: filter.FunctionID}
	if err := wanted.validate(); err != nil {
		return nil, 0, err
	}
	page, err := page.Checked()
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Token, int, error) { return tx.Tokens(f, page) })
}

// DeleteToken revokes a token. When it returns, no gateway admits a call with the
// token.
func (s *Service) DeleteToken(ctx context.Context, scope Scope, id string) (Token, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Token, error) {
		t, err := findToken(tx, scope, id)
		if err != nil {
			return t, err
		}
		if err := forgetToken(tx, t); err != nil {
			return t, err
		}
		t.Status = Deleting
		return t, tx.Delete(t)
	})
}
