package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"sync"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

// A Minter makes the text of tokens. It implements functions.Minter.
type Minter struct {
	sealer Sealer

	mu sync.Mutex
	// opened are the keys of the namespaces that tokens were made for, by what
	// they are kept as: to open and check one takes a sixth of what a
	// signature does.
	opened map[string]*rsa.PrivateKey
}

// maxOpened bounds the keys that are kept at hand; each has some kilobytes.
const maxOpened = 64

var _ functions.Minter = (*Minter)(nil)

// NewMinter returns a minter for keys that SealPrivate has sealed.
func NewMinter(sealer Sealer) *Minter {
	return &Minter{sealer: sealer, opened: map[string]*rsa.PrivateKey{}}
}

// Mint returns the text of the token: a JWT signed with the namespace's key by
// RS256, as Scaleway's tokens are.
func (m *Minter) Mint(n functions.Namespace, t functions.Token) (secret.String, error) {
	key, err := m.privateKey(n)
	if err != nil {
		return secret.String{}, fmt.Errorf("private key of namespace %s: %w", n.ID, err)
	}
	input, err := signingInput(claimsOf(t))
	if err != nil {
		return secret.String{}, fmt.Errorf("encode claims: %w", err)
	}
	digest := sha256.Sum256([]byte(input))
	// PKCS #1 v1.5 signing needs no randomness.
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return secret.String{}, fmt.Errorf("sign: %w", err)
	}
	return secret.New(input + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

func (m *Minter) privateKey(n functions.Namespace) (*rsa.PrivateKey, error) {
	kept := string(n.PrivateKey)
	m.mu.Lock()
	key := m.opened[kept]
	m.mu.Unlock()
	if key != nil {
		return key, nil
	}
	der, err := m.sealer.Open(n.PrivateKey, privatePurpose)
	if err != nil {
		return nil, err
	}
	if key, err = x509.ParsePKCS1PrivateKey(der); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for other := range m.opened {
		if len(m.opened) < maxOpened {
			break
		}
		delete(m.opened, other)
	}
	m.opened[kept] = key
	return key, nil
}
