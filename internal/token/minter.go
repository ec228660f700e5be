package token

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

// A Minter signs tokens. It implements functions.Minter and is safe for concurrent use.
type Minter struct {
	sealer Sealer

	mu sync.Mutex
	// signers caches the signers of namespaces by their sealed private keys: to open
	// and check a key takes a sixth of the time of a signature.
	signers map[string]jose.Signer
}

// maxSigners bounds the cache; an entry takes some kilobytes.
const maxSigners = 64

var _ functions.Minter = (*Minter)(nil)

// NewMinter returns a Minter for private keys that SealPrivate has sealed with the
// given sealer.
func NewMinter(sealer Sealer) *Minter {
	return &Minter{sealer: sealer, signers: map[string]jose.Signer{}}
}

// Mint returns the text of a token: a JWT in compact form, signed with the namespace's
// private key by RS256. Its header is {"alg":"RS256","typ":"JWT"}, as in Scaleway's
// tokens.
func (m *Minter) Mint(n functions.Namespace, t functions.Token) (secret.String, error) {
	signer, err := m.signer(n)
	if err != nil {
		return secret.String{}, fmt.Errorf("private key of namespace %s: %w", n.ID, err)
	}
	payload, err := json.Marshal(claimsOf(t))
	if err != nil {
		return secret.String{}, fmt.Errorf("encode claims: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return secret.String{}, fmt.Errorf("sign token: %w", err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return secret.String{}, fmt.Errorf("encode token: %w", err)
	}
	return secret.New(text), nil
}

// signer returns the signer of a namespace from the cache, or creates it.
func (m *Minter) signer(n functions.Namespace) (jose.Signer, error) {
	sealed := string(n.PrivateKey)
	m.mu.Lock()
	signer, ok := m.signers[sealed]
	m.mu.Unlock()
	if ok {
		return signer, nil
	}
	signer, err := m.newSigner(n.PrivateKey)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for other := range m.signers {
		if len(m.signers) < maxSigners {
			break
		}
		delete(m.signers, other)
	}
	m.signers[sealed] = signer
	return signer, nil
}

func (m *Minter) newSigner(sealed []byte) (jose.Signer, error) {
	der, err := m.sealer.Open(sealed, PrivatePurpose)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
}
