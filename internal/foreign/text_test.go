package foreign_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/foreign"
)

func TestParse_ReadsClaims(t *testing.T) {
	t.Parallel()
	pairs, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	expiry := start.Add(time.Hour)
	text, err := foreign.Parse(pairs[0].sign(header, claims(tokenID(1), namespaceID, "", expiry.Unix())))
	if err != nil || text.ID.String() != tokenID(1) || text.NamespaceID.String() != namespaceID || !text.ExpiresAt.Equal(expiry) || !text.NotBefore.Equal(start.Add(-time.Minute)) {
		t.Errorf("got %+v, %v", text, err)
	}
	if err := text.Verify(&pairs[0].key.PublicKey); err != nil {
		t.Errorf("verify: %v", err)
	}
	if err := text.Verify(&pairs[1].key.PublicKey); err == nil {
		t.Error("another key verifies the token")
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	pairs, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	good := pairs[0].pem
	encode := func(kind string, key *rsa.PublicKey) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: x509.MarshalPKCS1PublicKey(key)}))
	}
	n := pairs[0].key.N
	short := new(big.Int).Rsh(n, 4096-1024)
	long := new(big.Int).Lsh(n, 4097)
	for name, test := range map[string]struct{ text, want string }{
		"a key":                  {good, ""},
		"without the last line":  {strings.TrimSpace(good), ""},
		"with Windows lines":     {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"empty":                  {"", "not PEM"},
		"a token":                {"eyJh", "not PEM"},
		"two keys":               {good + good, "more than one PEM block"},
		"text after the key":     {good + "x", "more than one PEM block"},
		"with headers":           {strings.Replace(good, "KEY-----\n", "KEY-----\nA: b\n\n", 1), "more than one PEM block"},
		"a private key":          {encode("RSA PRIVATE KEY", &pairs[0].key.PublicKey), `want "RSA PUBLIC KEY"`},
		"a certificate":          {encode("CERTIFICATE", &pairs[0].key.PublicKey), `want "RSA PUBLIC KEY"`},
		"1024 bits":              {encode("RSA PUBLIC KEY", &rsa.PublicKey{N: short, E: 65537}), "1024 bits"},
		"8193 bits":              {encode("RSA PUBLIC KEY", &rsa.PublicKey{N: long, E: 65537}), "8193 bits"},
		"the exponent 1":         {encode("RSA PUBLIC KEY", &rsa.PublicKey{N: n, E: 1}), "exponent"},
		"the exponent 3":         {encode("RSA PUBLIC KEY", &rsa.PublicKey{N: n, E: 3}), "exponent"},
		"an even exponent":       {encode("RSA PUBLIC KEY", &rsa.PublicKey{N: n, E: 65538}), "exponent"},
		"an exponent of 40 bits": {encode("RSA PUBLIC KEY", &rsa.PublicKey{N: n, E: 1<<40 + 1}), "exponent"},
		"not a key":              {"-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n", "parse public key"},
	} {
		stored, err := foreign.CheckKey(test.text)
		switch {
		case test.want == "" && (err != nil || stored != good):
			t.Errorf("%s: got %q, %v, want the key", name, stored, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	pairs, err := keys()
	if err != nil {
		f.Fatal(err)
	}
	signed := map[string]bool{}
	for _, claims := range []string{
		claims(tokenID(1), "", functionID, 0), claims(tokenID(1), namespaceID, "", 1), `{"jti":"x","jti":"y"}`,
	} {
		text := pairs[0].sign(header, claims)
		signed[text] = true
		f.Add(text)
	}
	f.Add(encode(header) + "..")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := foreign.Parse(text)
		if err != nil {
			return
		}
		if (parsed.NamespaceID == parsed.FunctionID) || len(text) > 4096 {
			t.Errorf("%q: got %+v, want exactly one scope", text, parsed)
		}
		if parsed.Verify(&pairs[0].key.PublicKey) == nil && !signed[text] {
			t.Errorf("%q: a text that was never signed is verified", text)
		}
	})
}

func FuzzCheckKey(f *testing.F) {
	pairs, err := keys()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pairs[1].pem)
	f.Add("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		stored, err := foreign.CheckKey(text)
		if err != nil {
			return
		}
		if again, err := foreign.CheckKey(stored); err != nil || again != stored {
			t.Errorf("%q: got %q, %v for the stored form", text, again, err)
		}
	})
}
