package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// The errors of VerifySignature and VerifyClaims. A token that passes both may still
// have been revoked, which only the issuing server can determine.
var (
	ErrAlgorithm = errors.New("the signature is not RS256")
	ErrSignature = errors.New("no key verifies the signature")
	ErrAudience  = errors.New("the token is not for functions")
	ErrNotYet    = errors.New("the token is not valid yet")
	ErrExpired   = errors.New("the token has expired")
)

// VerifySignature verifies the signature by RS256 and returns the ID of the key that
// verifies it. It tries every key, because tokens have no key ID. It returns
// ErrAlgorithm if the header has another algorithm or critical extensions, and
// ErrSignature if no key verifies the signature.
func (t Text) VerifySignature(keys []PublicKey) (keyID string, err error) {
	if t.algorithm != "RS256" {
		return "", fmt.Errorf("%w: the header says %.20q", ErrAlgorithm, t.algorithm)
	}
	if t.critical {
		return "", fmt.Errorf("%w: the header has critical extensions, which are not supported", ErrAlgorithm)
	}
	digest := sha256.Sum256([]byte(t.signed))
	for _, key := range keys {
		if rsa.VerifyPKCS1v15(key.key, crypto.SHA256, digest[:], t.signature) == nil {
			return key.ID, nil
		}
	}
	return "", fmt.Errorf("%w: tried %d keys", ErrSignature, len(keys))
}

// VerifyClaims checks the token's audience, and its times against now. It returns
// ErrAudience, ErrNotYet or ErrExpired.
func (t Text) VerifyClaims(now time.Time) error {
	switch {
	case t.Audience != audience:
		return fmt.Errorf("%w: its audience is %.40q", ErrAudience, t.Audience)
	case now.Before(t.NotBefore):
		return fmt.Errorf("%w: it is valid from %s", ErrNotYet, t.NotBefore.Format(time.RFC3339))
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return fmt.Errorf("%w: at %s", ErrExpired, t.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}
