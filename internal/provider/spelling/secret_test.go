package spelling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// cheap are parameters of hashes that are fast to verify. The service's hashes need
// 64 MiB each.
var cheap = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

func hash(t testing.TB, secret string) string {
	t.Helper()
	h, err := argon2id.CreateHash(secret, cheap)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestSecretMatches_SecretOrAffordableHash(t *testing.T) {
	t.Parallel()
	good := hash(t, "secret")
	with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
	tests := map[string]struct {
		secret, stored string
		want           bool
	}{
		"its hash":                    {"secret", good, true},
		"another's hash":              {"other", good, false},
		"in clear":                    {"secret", "secret", true},
		"in clear, another":           {"secret", "other", false},
		"empty, its hash":             {"", hash(t, ""), true},
		"looks like a hash, in clear": {good, good, true},
		"looks like a hash, its hash": {good, hash(t, good), true},
		"no passes":                   {"secret", with("t=1", "t=0"), false},
		"no lanes":                    {"secret", with("p=2", "p=0"), false},
		"four gigabytes":              {"secret", with("m=64", "m=4194304"), false},
		"a billion passes":            {"secret", with("t=1", "t=1000000000"), false},
		"no key":                      {"secret", good[:strings.LastIndexByte(good, '$')+1], false},
		"a key of a megabyte":         {"secret", good + strings.Repeat("A", 1<<20), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := spelling.SecretMatches(test.secret, test.stored); got != test.want {
				t.Errorf("SecretMatches(%.20q, %.60q) = %t, want %t", test.secret, test.stored, got, test.want)
			}
		})
	}
}

func FuzzSecretMatches(f *testing.F) {
	good := hash(f, "secret")
	for _, seed := range []string{good, "", "$argon2id$", strings.Replace(good, "p=2", "p=0", 1), strings.Replace(good, "m=64", "m=999999999", 1)} {
		f.Add("secret", seed)
	}
	f.Fuzz(func(t *testing.T, secret, stored string) {
		begin := time.Now()
		spelling.SecretMatches(secret, stored)
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("the hash %q took %s", stored, took)
		}
		if !spelling.SecretMatches(secret, secret) {
			t.Errorf("%q does not match itself", secret)
		}
	})
}

func FuzzInstant(f *testing.F) {
	f.Add("2027-10-18T09:35:15Z", "2027-10-18T11:35:15+02:00")
	f.Add("", "never")
	f.Fuzz(func(t *testing.T, a, b string) {
		if spelling.Instant(a, b) != spelling.Instant(b, a) {
			t.Errorf("Instant(%q, %q) depends on the order", a, b)
		}
		if !spelling.Instant(a, a) {
			t.Errorf("Instant(%q, itself) is false", a)
		}
	})
}
