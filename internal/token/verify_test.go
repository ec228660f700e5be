package token_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/token"
)

var (
	created = time.Unix(1756307125, 0)
	expires = time.Unix(1756393506, 0)
)

// minted returns a token that a Minter has signed, and its public key.
func minted(t testing.TB, scope functions.Token) (text, public string) {
	t.Helper()
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	sealer := newSealer(t)
	issued, err := token.NewMinter(sealer).Mint(functions.Namespace{ID: namespaceID, PrivateKey: token.SealPrivate(sealer, pair)}, scope)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Reveal(), pair.Public
}

// sign returns a token with the given header and claims, signed by RS256.
func sign(t testing.TB, header, claims string) string {
	t.Helper()
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS1PrivateKey(pair.Private)
	if err != nil {
		t.Fatal(err)
	}
	signed := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(string(signature))
}

func encode(part string) string { return base64.RawURLEncoding.EncodeToString([]byte(part)) }

func keysOf(t testing.TB, content string) []token.PublicKey {
	t.Helper()
	keys, err := token.ParseKeys([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestParse_ReadsMintedToken(t *testing.T) {
	t.Parallel()
	text, _ := minted(t, functions.Token{ID: tokenID, FunctionID: functionID, CreatedAt: created, ExpiresAt: expires})
	got, err := token.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != tokenID || got.FunctionID != functionID || got.NamespaceID != "" || got.Issuer != "SCALEWAY" || got.Audience != "functions" {
		t.Errorf("got %+v, want the scope and the claims of the minted token", got)
	}
	if !got.IssuedAt.Equal(created) || !got.NotBefore.Equal(created) || !got.ExpiresAt.Equal(expires) {
		t.Errorf("got issued %s, not before %s, expires %s, want %s, %s, %s", got.IssuedAt, got.NotBefore, got.ExpiresAt, created, created, expires)
	}
	text, _ = minted(t, functions.Token{ID: tokenID, NamespaceID: namespaceID, CreatedAt: created})
	if got, err = token.Parse(text); err != nil || got.NamespaceID != namespaceID || !got.ExpiresAt.IsZero() {
		t.Errorf("got %+v, %v, want the scope of the namespace and no expiry", got, err)
	}
}

const (
	goodHeader = `{"alg":"RS256","typ":"JWT"}`
	goodClaims = `{"application_claim":[{"namespace_id":"","application_id":"f"}],"aud":"functions","jti":"t"}`
)

func TestParse_RefusesMalformedText(t *testing.T) {
	t.Parallel()
	header, claims := encode(goodHeader), encode(goodClaims)
	for name, text := range map[string]string{
		"empty text":               "",
		"a UUID":                   tokenID,
		"two parts":                header + "." + claims,
		"four parts":               header + "." + claims + ".AAAA.AAAA",
		"padding":                  header + "=." + claims + ".AAAA",
		"a line break":             header + "." + claims + ".AA\nAA",
		"stray bits":               header + "." + claims + ".AB",
		"standard base64 alphabet": header + "." + claims + ".+/+/",
		"header is null":           encode("null") + "." + claims + ".AAAA",
		"header is an array":       encode("[]") + "." + claims + ".AAAA",
		"algorithm is a number":    encode(`{"alg":1}`) + "." + claims + ".AAAA",
		"claims are not JSON":      header + "." + encode("{") + ".AAAA",
		"data after the claims":    header + "." + encode(goodClaims+"{}") + ".AAAA",
		"no scope":                 header + "." + encode(`{"aud":"functions"}`) + ".AAAA",
		"two scopes":               header + "." + encode(`{"application_claim":[{},{}]}`) + ".AAAA",
		"scope is null":            header + "." + encode(`{"application_claim":[null]}`) + ".AAAA",
		"expiry is a string":       header + "." + encode(`{"application_claim":[{}],"exp":"never"}`) + ".AAAA",
		"expiry is null":           header + "." + encode(`{"application_claim":[{}],"exp":null}`) + ".AAAA",
		"fraction of a second":     header + "." + encode(`{"application_claim":[{}],"exp":1.5}`) + ".AAAA",
		"before 1970":              header + "." + encode(`{"application_claim":[{}],"exp":-1}`) + ".AAAA",
		"after the year 9999":      header + "." + encode(`{"application_claim":[{}],"exp":253402300800}`) + ".AAAA",
		"too long":                 header + "." + claims + "." + strings.Repeat("A", 16<<10),
	} {
		if got, err := token.Parse(text); !errors.Is(err, token.ErrMalformed) {
			t.Errorf("%s: got %+v, %v, want ErrMalformed", name, got, err)
		}
	}
}

func TestVerifySignature_ReturnsIDOfKey(t *testing.T) {
	t.Parallel()
	text, public := minted(t, functions.Token{ID: tokenID, FunctionID: functionID, CreatedAt: created})
	other, err := token.GenerateKeyPair(2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := append(keysOf(t, other.Public), keysOf(t, public)...)
	parsed, err := token.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := parsed.VerifySignature(keys); err != nil || id != keys[1].ID {
		t.Errorf("got key %q, %v, want %q", id, err, keys[1].ID)
	}
	parts := strings.Split(text, ".")
	mac := hmac.New(sha256.New, []byte(public))
	confused := encode(`{"alg":"HS256","typ":"JWT"}`) + "." + parts[1]
	mac.Write([]byte(confused))
	for name, test := range map[string]struct {
		text string
		keys []token.PublicKey
		want error
	}{
		"no keys":              {text, nil, token.ErrSignature},
		"another key":          {text, keys[:1], token.ErrSignature},
		"no signature":         {parts[0] + "." + parts[1] + ".", keys, token.ErrSignature},
		"other claims":         {parts[0] + "." + encode(goodClaims) + "." + parts[2], keys, token.ErrSignature},
		"algorithm none":       {encode(`{"alg":"none"}`) + "." + parts[1] + ".", keys, token.ErrAlgorithm},
		"HMAC with public key": {confused + "." + encode(string(mac.Sum(nil))), keys, token.ErrAlgorithm},
		"no algorithm":         {sign(t, `{"typ":"JWT"}`, goodClaims), keys, token.ErrAlgorithm},
		"algorithm as ALG":     {sign(t, `{"ALG":"RS256"}`, goodClaims), keys, token.ErrAlgorithm},
		"critical extensions":  {sign(t, `{"alg":"RS256","crit":["b64"],"b64":false}`, goodClaims), keys, token.ErrAlgorithm},
	} {
		parsed, err := token.Parse(test.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if id, err := parsed.VerifySignature(test.keys); !errors.Is(err, test.want) {
			t.Errorf("%s: got key %q, %v, want %v", name, id, err, test.want)
		}
	}
}

func TestVerifyClaims_ChecksAudienceAndTimes(t *testing.T) {
	t.Parallel()
	claims := func(more string) string {
		return strings.TrimSuffix(goodClaims, "}") + more + "}"
	}
	now := time.Unix(1000, 0)
	for name, test := range map[string]struct {
		claims string
		want   error
	}{
		"without expiry":           {goodClaims, nil},
		"one second before expiry": {claims(`,"exp":1001`), nil},
		"at the second of expiry":  {claims(`,"exp":1000`), token.ErrExpired},
		"long after expiry":        {claims(`,"exp":0`), token.ErrExpired},
		"from this second":         {claims(`,"nbf":1000`), nil},
		"before its time":          {claims(`,"nbf":1001`), token.ErrNotYet},
		"another audience":         {strings.Replace(goodClaims, `"functions"`, `"containers"`, 1), token.ErrAudience},
		"expiry as EXP is ignored": {claims(`,"EXP":0`), nil},
	} {
		parsed, err := token.Parse(sign(t, goodHeader, test.claims))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := parsed.VerifyClaims(now); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, public := minted(f, functions.Token{ID: tokenID, FunctionID: functionID, CreatedAt: created, ExpiresAt: expires})
	keys := keysOf(f, public)
	f.Add(text)
	f.Add(encode(goodHeader) + "." + encode(goodClaims) + ".AAAA")
	f.Add(encode(`{"alg":"none"}`) + "." + encode(goodClaims) + ".")
	f.Fuzz(func(t *testing.T, input string) {
		parsed, err := token.Parse(input)
		if err != nil {
			return
		}
		// Only the minted text verifies: there is no second encoding of the same token.
		if _, err := parsed.VerifySignature(keys); err == nil && input != text {
			t.Errorf("the signature of %q verifies, want only that of the minted token", input)
		}
	})
}
