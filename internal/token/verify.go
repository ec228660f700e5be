package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// What a token can lack. A token that is good by Verify may have been revoked
// all the same: only the service that issued it knows.
var (
	ErrAlgorithm = errors.New("the signature is not RS256")
	ErrSignature = errors.New("no key verifies the signature")
	ErrAudience  = errors.New("the token is not for functions")
	ErrNotYet    = errors.New("the token is not valid yet")
	ErrExpired   = errors.New("the token has expired")
)

// VerifySignature returns the ID of the key that has signed the token. The
// algorithm is RS256 whatever the token says; one that says anything else is
// refused. Tokens do not name their key, so every key is tried. Returns
// ErrAlgorithm or ErrSignature.
func (t Text) VerifySignature(keys []PublicKey) (keyID string, err error) {
	if t.algorithm != "RS256" {
		return "", fmt.Errorf("%w: the header says %.20q", ErrAlgorithm, t.algorithm)
	}
	if t.critical {
		return "", fmt.Errorf("%w alone: the header has critical extensions", ErrAlgorithm)
	}
	digest := sha256.Sum256([]byte(t.signed))
	for _, key := range keys {
		if rsa.VerifyPKCS1v15(key.key, crypto.SHA256, digest[:], t.signature) == nil {
			return key.ID, nil
		}
	}
	return "", fmt.Errorf("%w: %d tried", ErrSignature, len(keys))
}

// VerifyClaims holds what the token says against the time and the audience.
// Returns ErrAudience, ErrNotYet or ErrExpired.
func (t Text) VerifyClaims(now time.Time) error {
	switch {
	case t.Audience != audience:
		return fmt.Errorf("%w: its audience is %.40q", ErrAudience, t.Audience)
	case now.Before(t.NotBefore):
		return fmt.Errorf("%w: it is from %s on", ErrNotYet, t.NotBefore.Format(time.RFC3339))
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return fmt.Errorf("%w: on %s", ErrExpired, t.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}
