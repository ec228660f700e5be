package token_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/token"
)

func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

const application = `"application_claim":[{"namespace_id":"n","application_id":""}]`

func TestClaims(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		jwt, id, expiry, err string
	}{
		"a token":          {jwt: jwt(`{` + application + `,"jti":"i","exp":1756393506}`), id: "i", expiry: "2025-08-28T15:05:06Z"},
		"no expiry":        {jwt: jwt(`{` + application + `,"jti":"i"}`), id: "i"},
		"after the year":   {jwt: jwt(`{` + application + `,"jti":"i","exp":9223372036854775807}`), id: "i"},
		"two parts":        {jwt: "a.b", err: "no token"},
		"not base64":       {jwt: "a.s3cr3t!.c", err: "no token"},
		"not json":         {jwt: "a." + base64.RawURLEncoding.EncodeToString([]byte("s3cr3t")) + ".c", err: "middle part"},
		"of nothing":       {jwt: jwt(`{"application_claim":[]}`), err: "middle part"},
		"another kind":     {jwt: jwt(`{"sub":"me"}`), err: "middle part"},
		"a number too big": {jwt: jwt(`{` + application + `,"exp":1e30}`), err: "middle part"},
		"too long":         {jwt: strings.Repeat("x", 1<<20) + ".e30.c", err: "no token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := token.ParseClaims(test.jwt)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "s3cr3t") {
					t.Errorf("error %v, want one that says %q and nothing of the token", err, test.err)
				}
				return
			}
			if err != nil || got.ID.ValueString() != test.id || got.ExpiresAt.ValueString() != test.expiry || got.NamespaceID.ValueString() != "n" || !got.FunctionID.IsNull() {
				t.Errorf("the claims are %v: %v", got, err)
			}
		})
	}
}

func FuzzClaims(f *testing.F) {
	for _, seed := range []string{jwt(`{` + application + `,"exp":1}`), "a.b.c", "", jwt("[]"), jwt(`{"application_claim":[null]}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := token.ParseClaims(text)
		if err == nil && strings.Count(text, ".") != 2 {
			t.Errorf("%q was read as a token: %v", text, got)
		}
	})
}
