package token_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/token"
)

var keyPair = sync.OnceValues(func() (token.KeyPair, error) { return token.GenerateKeyPair(token.KeyBits) })

// The IDs, times and lengths are from recorded traffic.
const (
	tokenID     = "7b7861e8-205f-4432-950b-310a018d8403"
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
	functionID  = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
)

func TestMint_ReturnsRecordedForm(t *testing.T) {
	t.Parallel()
	created := time.Unix(1756307125, 999)
	tests := map[string]struct {
		token  functions.Token
		claims string
		length int
	}{
		"namespace scope, with expiry": {
			functions.Token{ID: tokenID, NamespaceID: namespaceID, CreatedAt: created, ExpiresAt: time.Unix(1756393506, 0)},
			`{"application_claim":[{"namespace_id":"` + namespaceID + `","application_id":""}],"version":2,"aud":"functions","exp":1756393506,"jti":"` + tokenID + `","iat":1756307125,"iss":"SCALEWAY","nbf":1756307125,"sub":"token"}`,
			1063,
		},
		"function scope, without expiry": {
			functions.Token{ID: tokenID, FunctionID: functionID, CreatedAt: created},
			`{"application_claim":[{"namespace_id":"","application_id":"` + functionID + `"}],"version":2,"aud":"functions","jti":"` + tokenID + `","iat":1756307125,"iss":"SCALEWAY","nbf":1756307125,"sub":"token"}`,
			1040,
		},
	}
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	sealer := newSealer(t)
	minter := token.NewMinter(sealer)
	namespace := functions.Namespace{ID: namespaceID, PrivateKey: token.SealPrivate(sealer, pair)}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := minter.Mint(namespace, test.token)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(text.Reveal()); got != test.length {
				t.Errorf("length: got %d, want %d as recorded", got, test.length)
			}
			parts := strings.Split(text.Reveal(), ".")
			if len(parts) != 3 {
				t.Fatalf("got %d parts, want 3", len(parts))
			}
			if got, want := decode(t, parts[0]), `{"alg":"RS256","typ":"JWT"}`; got != want {
				t.Errorf("header: got %s, want %s", got, want)
			}
			if got := decode(t, parts[1]); got != test.claims {
				t.Errorf("claims: got %s, want %s", got, test.claims)
			}
			digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
			if err := rsa.VerifyPKCS1v15(publicKey(t, pair.Public), crypto.SHA256, digest[:], []byte(decode(t, parts[2]))); err != nil {
				t.Errorf("verify the signature: %v", err)
			}
		})
	}
}

func TestMint_RefusesKeySealedByAnotherServer(t *testing.T) {
	t.Parallel()
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	other, err := secret.NewSealer(make([]byte, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	n := functions.Namespace{ID: namespaceID, PrivateKey: token.SealPrivate(other, pair)}
	if text, err := token.NewMinter(newSealer(t)).Mint(n, functions.Token{ID: tokenID}); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("Mint: got %v, %v, want ErrSealed", text, err)
	}
}

func TestGenerateKeyPair_EncodesPublicKeyAsRecorded(t *testing.T) {
	t.Parallel()
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(pair.Public, "-----BEGIN RSA PUBLIC KEY-----\n") || len(pair.Public) != 775 || !strings.HasSuffix(pair.Public, "\n") {
		t.Errorf("public key: got %d bytes, want 775 in PKCS #1 PEM: %s", len(pair.Public), pair.Public)
	}
}

func TestPool_GeneratesAheadOfNeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		generated := 0
		pool := token.NewPool(2, func() (token.KeyPair, error) {
			generated++
			return token.KeyPair{Public: string(rune('a' + generated))}, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- pool.Run(ctx) }()
		synctest.Wait()
		// Two are in the pool, one waits in Run, and one in the generating goroutine.
		if generated != 4 {
			t.Errorf("got %d pairs generated ahead, want 4", generated)
		}
		first, err := pool.Take(ctx)
		if err != nil {
			t.Fatal(err)
		}
		second, err := pool.Take(ctx)
		if err != nil || first.Public == "" || first.Public == second.Public {
			t.Errorf("Take: got %v, then %v, %v, want two different pairs", first, second, err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: got %v, want nil after its context ends", err)
		}
	})
}

func TestPool_ReturnsErrorOfGenerate(t *testing.T) {
	t.Parallel()
	broken := errors.New("no randomness")
	pool := token.NewPool(1, func() (token.KeyPair, error) { return token.KeyPair{}, broken })
	if err := pool.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Run: got %v, want %v", err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pool.Take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Take with a canceled context: got %v, want context.Canceled", err)
	}
}

func newSealer(t testing.TB) *secret.Sealer {
	t.Helper()
	sealer, err := secret.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func decode(t *testing.T, part string) string {
	t.Helper()
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}

func publicKey(t *testing.T, text string) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// The test uses more namespaces than the cache of signers holds, each several times.
func TestMint_SignsWithKeyOfNamespace(t *testing.T) {
	t.Parallel()
	sealer := newSealer(t)
	minter := token.NewMinter(sealer)
	var pairs []token.KeyPair
	for range 2 {
		pair, err := token.GenerateKeyPair(2048)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, pair)
	}
	var namespaces []functions.Namespace
	for i := range 70 { // Seal returns other bytes each time, so that each one is an entry of the cache.
		namespaces = append(namespaces, functions.Namespace{ID: namespaceID, PrivateKey: token.SealPrivate(sealer, pairs[i%2])})
	}
	for i, n := range append(namespaces, namespaces...) {
		text, err := minter.Mint(n, functions.Token{ID: tokenID, NamespaceID: n.ID})
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(text.Reveal(), ".")
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(publicKey(t, pairs[i%2].Public), crypto.SHA256, digest[:], []byte(decode(t, parts[2]))); err != nil {
			t.Errorf("namespace %d: verify the signature: %v", i, err)
		}
	}
}
