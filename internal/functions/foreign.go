package functions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"
)

// A ForeignIssuer is another service that has issued tokens for an imported namespace.
type ForeignIssuer struct {
	// Name is the host of the service's API.
	Name string
	// Keys are the public keys that verify its tokens (PEM, PKCS #1). Without a key,
	// none of its tokens can be adopted.
	Keys []string `json:",omitempty"`
	// Refused denies all tokens of the issuer, also those that were adopted.
	Refused bool `json:",omitempty"`
	// Removed are the IDs of imported functions and tokens that were deleted here. An
	// import skips them, so that it restores no revoked token.
	Removed []string `json:",omitempty"`
}

// Foreign reports whether another service has issued the token.
func (t Token) Foreign() bool { return t.Issuer != "" }

// Adopted reports whether the digest of the token's text is known. A foreign token is
// adopted with its first use; no call can be admitted with it before.
func (t Token) Adopted() bool { return t.Digest != Digest{} }

// An Adoption is the verified text of a foreign token.
type Adoption struct {
	TokenID string
	// NamespaceID is the namespace of the called function, and Key the element of its
	// ForeignIssuer.Keys that verifies the text.
	NamespaceID string
	Key         string
	Digest      Digest
	// ExpiresAt is the expiry in the text; zero if it has none.
	ExpiresAt time.Time
}

// AdoptToken stores the digest of a foreign token, and the earlier one of its two
// expiries. If another node has adopted the same text, it stores the token again: the
// commit returns after this node has applied both changes. It returns an Error with the code
// NotFound if the token has been deleted, and PermissionDenied if the namespace no longer
// accepts the token or another text was adopted.
func AdoptToken(tx Tx, a Adoption, now time.Time) error {
	t, err := tx.Token(a.TokenID)
	if err != nil {
		return err
	}
	namespaceID, err := namespaceOf(tx, t)
	if err != nil {
		return err
	}
	n, err := tx.Namespace(a.NamespaceID)
	if err != nil {
		return err
	}
	switch {
	case namespaceID != n.ID, n.Status == Deleting, n.Foreign == nil, n.Foreign.Refused,
		!slices.Contains(n.Foreign.Keys, a.Key), t.Issuer != n.Foreign.Name:
		return notAccepted(t)
	case t.Digest == a.Digest:
		return tx.Put(t)
	case t.Adopted():
		return notAccepted(t)
	}
	t.Digest, t.AdoptedAt = a.Digest, now
	t.ExpiresAt = earlier(t.ExpiresAt, a.ExpiresAt)
	return tx.Put(t)
}

func notAccepted(t Token) error {
	return &Error{Code: PermissionDenied, Message: "the namespace does not accept the token", Resource: "token", ResourceID: t.ID}
}

// earlier returns the earlier of two expiries; the zero time never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// namespaceOf returns the ID of the namespace of a token, or of that of its function.
func namespaceOf(tx Tx, t Token) (string, error) {
	if t.NamespaceID != "" {
		return t.NamespaceID, nil
	}
	f, err := tx.Function(t.FunctionID)
	return f.NamespaceID, err
}

// ImportedFrom returns a namespace with a ForeignIssuer. It returns an Error with the code
// PreconditionFailed if the namespace was not imported.
func ImportedFrom(tx Tx, namespaceID string) (Namespace, error) {
	n, err := tx.Namespace(namespaceID)
	if err != nil || n.Foreign != nil {
		return n, err
	}
	return n, &Error{
		Code: PreconditionFailed, Precondition: "imported", Resource: namespaceResource, ResourceID: n.ID,
		Message: "the namespace was not imported: it has no tokens of another issuer",
	}
}

// AcceptForeign sets whether a namespace accepts the tokens of another issuer.
func AcceptForeign(tx Tx, namespaceID string, accept bool) (Namespace, error) {
	n, err := ImportedFrom(tx, namespaceID)
	if err != nil {
		return n, err
	}
	foreign := *n.Foreign
	foreign.Refused = !accept
	n.Foreign = &foreign
	return n, tx.Put(n)
}

// KeyFingerprint returns the SHA-256 digest of an element of ForeignIssuer.Keys in
// hexadecimal. It identifies the key for the user.
func KeyFingerprint(key string) string {
	content := []byte(key)
	if block, _ := pem.Decode(content); block != nil {
		content = block.Bytes
	}
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// minFingerprint is the minimum length of an abbreviated fingerprint.
const minFingerprint = 8

// RemoveForeignKey removes the key with a fingerprint, or with the only fingerprint that
// begins with it, from an imported namespace. Adopted tokens of the namespace and of its
// functions return to the state before their first use, since their texts may have been
// verified with the key: the next call verifies them with the remaining ones.
func RemoveForeignKey(tx Tx, namespaceID, fingerprint string) (Namespace, error) {
	n, err := ImportedFrom(tx, namespaceID)
	if err != nil {
		return n, err
	}
	if len(fingerprint) < minFingerprint {
		return n, malformed("fingerprint", "must have at least %d characters", minFingerprint)
	}
	kept := slices.DeleteFunc(slices.Clone(n.Foreign.Keys), func(key string) bool {
		return strings.HasPrefix(KeyFingerprint(key), strings.ToLower(fingerprint))
	})
	switch len(n.Foreign.Keys) - len(kept) {
	case 0:
		return n, &Error{Code: NotFound, Resource: "Public key", ResourceID: fingerprint, Message: "the namespace has no public key with this fingerprint"}
	case 1:
	default:
		return n, malformed("fingerprint", "several public keys begin with it: use all characters")
	}
	foreign := *n.Foreign
	foreign.Keys = kept
	n.Foreign = &foreign
	if err := tx.Put(n); err != nil {
		return n, err
	}
	return n, forgetAdoptions(tx, n)
}

// forgetAdoptions returns the adopted tokens of a namespace to the state before their first
// use. A follower revokes a digest with the deletion of its token.
func forgetAdoptions(tx Tx, n Namespace) error {
	all, _, err := tx.Functions(Filter{NamespaceID: n.ID}, Page{})
	if err != nil {
		return err
	}
	scopes := []Filter{{NamespaceID: n.ID}}
	for _, f := range all {
		scopes = append(scopes, Filter{FunctionID: f.ID})
	}
	for _, scope := range scopes {
		tokens, _, err := tx.Tokens(scope, Page{})
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if !t.Foreign() || !t.Adopted() {
				continue
			}
			if err := tx.Delete(t); err != nil {
				return err
			}
			t.Digest, t.AdoptedAt = Digest{}, time.Time{}
			if err := tx.Put(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// rememberRemoved records that imported objects of a namespace were deleted here. It does
// nothing for a namespace that was not imported.
func rememberRemoved(tx Tx, namespaceID string, ids ...string) error {
	n, err := tx.Namespace(namespaceID)
	if err != nil || n.Foreign == nil {
		return err
	}
	foreign := *n.Foreign
	foreign.Removed = slices.Clone(foreign.Removed)
	for _, id := range ids {
		if !slices.Contains(foreign.Removed, id) {
			foreign.Removed = append(foreign.Removed, id)
		}
	}
	if len(foreign.Removed) == len(n.Foreign.Removed) {
		return nil
	}
	n.Foreign = &foreign
	return tx.Put(n)
}

// forgetToken records the deletion of a foreign token.
func forgetToken(tx Tx, t Token) error {
	if !t.Foreign() {
		return nil
	}
	namespaceID, err := namespaceOf(tx, t)
	if err != nil {
		return err
	}
	return rememberRemoved(tx, namespaceID, t.ID)
}

// forgetFunction records the deletion of an imported function and of its foreign tokens.
func forgetFunction(tx Tx, f Function) error {
	if f.Origin == nil {
		return nil
	}
	tokens, _, err := tx.Tokens(Filter{FunctionID: f.ID}, Page{})
	if err != nil {
		return err
	}
	ids := []string{f.ID}
	for _, t := range tokens {
		if t.Foreign() {
			ids = append(ids, t.ID)
		}
	}
	return rememberRemoved(tx, f.NamespaceID, ids...)
}

// An Origin is the source of an imported function.
type Origin struct {
	// Issuer is as in ForeignIssuer.Name.
	Issuer string
	// CodeAt is the source's time of the last change before the code was copied; zero
	// before.
	CodeAt time.Time `json:",omitzero"`
}
