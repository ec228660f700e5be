package token_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

// The example key of RFC 7638, section 3.1, and its thumbprint.
const (
	rfc7638Modulus    = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	rfc7638Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
)

func TestParseKeys_ComputesThumbprint(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, `{"keys":[{"kty":"RSA","n":"`+rfc7638Modulus+`","e":"AQAB"}]}`)
	if len(keys) != 1 || keys[0].ID != rfc7638Thumbprint {
		t.Errorf("got %+v, want one key with the ID %s", keys, rfc7638Thumbprint)
	}
}

func TestParseKeys_SkipsKeysForOtherUses(t *testing.T) {
	t.Parallel()
	key := func(more string) string {
		return `{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQAB"` + more + `}`
	}
	for name, set := range map[string]string{
		"no keys":               `{"keys":[]}`,
		"for encryption":        `{"keys":[` + key(`,"use":"enc"`) + `]}`,
		"for another algorithm": `{"keys":[` + key(`,"alg":"PS256"`) + `]}`,
		"of another type":       `{"keys":[{"kty":"EC","crv":"P-256"}]}`,
	} {
		if keys, err := token.ParseKeys([]byte(set)); err != nil || len(keys) != 0 {
			t.Errorf("%s: got %v, %v, want no keys", name, keys, err)
		}
	}
}

func TestParseKeys_RefusesInvalidKeys(t *testing.T) {
	t.Parallel()
	long := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 1025)))
	for name, content := range map[string]string{
		"empty input":          "",
		"not JSON":             "<html>",
		"empty PEM block":      "-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----\n",
		"truncated PEM":        "-----BEGIN RSA PUBLIC KEY-----\n",
		"a short key":          `{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus[:300] + `","e":"AQAB"}]}`,
		"an overlong key":      `{"keys":[{"kty":"RSA","n":"` + long + `","e":"AQAB"}]}`,
		"an oversized n":       `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("A", 9000) + `","e":"AQAB"}]}`,
		"no exponent":          `{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus + `"}]}`,
		"an even exponent":     `{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"Ag"}]}`,
		"exponent one":         `{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQ"}]}`,
		"an oversized e":       `{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQABAQABAQAB"}]}`,
		"e out of range":       `{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"__8BAQE"}]}`,
		"n in standard base64": `{"keys":[{"kty":"RSA","n":"+/` + rfc7638Modulus + `","e":"AQAB"}]}`,
		"too many keys":        `{"keys":[` + strings.Repeat(`{"kty":"x"},`, 10_000) + `{}]}`,
	} {
		if keys, err := token.ParseKeys([]byte(content)); err == nil {
			t.Errorf("%s: got %v, want an error", name, keys)
		}
	}
}

func TestKeySet_PublishesKeysOfNamespaces(t *testing.T) {
	t.Parallel()
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	other, err := token.GenerateKeyPair(2048)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewKeySet()
	first := functions.Namespace{ID: "1", Status: functions.Pending}
	steps := []struct {
		name   string
		change store.Change
		keys   int
	}{
		{"a namespace without a key", store.Change{Object: first}, 0},
		{"the namespace gets a key", store.Change{Object: with(first, pair.Public, functions.Ready)}, 1},
		{"the same key again", store.Change{Object: with(first, pair.Public, functions.Pending)}, 1},
		{"another kind of object", store.Change{Object: functions.Token{ID: "1"}, Deleted: true}, 1},
		{"a second namespace", store.Change{Object: functions.Namespace{ID: "2", PublicKey: other.Public}}, 2},
		{"a third with the key of the first", store.Change{Object: functions.Namespace{ID: "3", PublicKey: pair.Public}}, 2},
		{"a key that cannot be parsed", store.Change{Object: functions.Namespace{ID: "4", PublicKey: "x"}}, 2},
		{"the first is being deleted", store.Change{Object: with(first, pair.Public, functions.Deleting)}, 2},
		{"the third is deleted", store.Change{Object: functions.Namespace{ID: "3", PublicKey: pair.Public}, Deleted: true}, 1},
		{"the second is deleted", store.Change{Object: functions.Namespace{ID: "2"}, Deleted: true}, 0},
	}
	for _, step := range steps {
		set.Apply(step.change)
		if got := keysOf(t, string(set.Document())); len(got) != step.keys {
			t.Errorf("%s: got %d keys, want %d", step.name, len(got), step.keys)
		}
	}
	if got := string(set.Document()); got != `{"keys":[]}` {
		t.Errorf("empty document: got %s, want {\"keys\":[]}", got)
	}
}

func with(n functions.Namespace, public string, status functions.Status) functions.Namespace {
	n.PublicKey, n.Status = public, status
	return n
}

func TestDocument_HasMembersForVerifiers(t *testing.T) {
	t.Parallel()
	text, public := minted(t, functions.Token{ID: tokenID, FunctionID: functionID, CreatedAt: created})
	set := token.NewKeySet()
	set.Apply(store.Change{Object: functions.Namespace{ID: namespaceID, PublicKey: public}})
	var document struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(set.Document(), &document); err != nil || len(document.Keys) != 1 {
		t.Fatalf("got %s, %v, want a document with one key", set.Document(), err)
	}
	keys := keysOf(t, public)
	key := document.Keys[0]
	if key["kty"] != "RSA" || key["use"] != "sig" || key["alg"] != "RS256" || key["kid"] != keys[0].ID || key["e"] != "AQAB" || len(key) != 6 {
		t.Errorf("got %v, want kty, use, alg, kid, n and e", key)
	}
	parsed, err := token.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := parsed.VerifySignature(keysOf(t, string(set.Document()))); err != nil || id != key["kid"] {
		t.Errorf("verify a minted token with the document: got key %q, %v, want %q", id, err, key["kid"])
	}
}

// A verifier that uses go-jose accepts a minted token with the published keys.
func TestDocument_VerifiesTokensWithGoJOSE(t *testing.T) {
	t.Parallel()
	text, public := minted(t, functions.Token{ID: tokenID, FunctionID: functionID, CreatedAt: created})
	set := token.NewKeySet()
	set.Apply(store.Change{Object: functions.Namespace{ID: namespaceID, PublicKey: public}})
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(set.Document(), &keys); err != nil || len(keys.Keys) != 1 {
		t.Fatalf("got %d keys, %v, want one", len(keys.Keys), err)
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := signed.Verify(keys.Keys[0])
	if err != nil || !strings.Contains(string(payload), tokenID) {
		t.Errorf("Verify: got %s, %v, want the claims of token %s", payload, err, tokenID)
	}
}

func FuzzParseKeys(f *testing.F) {
	pair, err := token.GenerateKeyPair(2048)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(pair.Public))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"` + rfc7638Modulus + `","e":"AQAB"}]}`))
	parsed, err := token.Parse(encode(goodHeader) + "." + encode(goodClaims) + ".AAAA")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		keys, err := token.ParseKeys(content)
		if err != nil {
			return
		}
		if id, err := parsed.VerifySignature(keys); err == nil {
			t.Errorf("key %s of %q verifies an invalid signature", id, content)
		}
	})
}
