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

func TestParseClaims_ErrorsContainNothingOfTheToken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		jwt, id, expiry, err string
	}{
		"valid":                      {jwt: jwt(`{` + application + `,"jti":"i","exp":1756393506}`), id: "i", expiry: "2025-08-28T15:05:06Z"},
		"no expiry":                  {jwt: jwt(`{` + application + `,"jti":"i"}`), id: "i"},
		"expiry after the year 9999": {jwt: jwt(`{` + application + `,"jti":"i","exp":9223372036854775807}`), id: "i"},
		"two parts":                  {jwt: "a.b", err: "not a token:"},
		"not base64":                 {jwt: "a.s3cr3t!.c", err: "not a token:"},
		"not json":                   {jwt: "a." + base64.RawURLEncoding.EncodeToString([]byte("s3cr3t")) + ".c", err: "second part"},
		"no application claim":       {jwt: jwt(`{"application_claim":[]}`), err: "second part"},
		"other claims":               {jwt: jwt(`{"sub":"me"}`), err: "second part"},
		"expiry too large":           {jwt: jwt(`{` + application + `,"exp":1e30}`), err: "second part"},
		"too long":                   {jwt: strings.Repeat("x", 1<<20) + ".e30.c", err: "not a token:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := token.ParseClaims(test.jwt)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "s3cr3t") {
					t.Errorf("got error %v, want one that contains %q and nothing of the token", err, test.err)
				}
				return
			}
			if err != nil || got.ID.ValueString() != test.id || got.ExpiresAt.ValueString() != test.expiry || got.NamespaceID.ValueString() != "n" || !got.FunctionID.IsNull() {
				t.Errorf("got claims %v and error %v, want %+v", got, err, test)
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
			t.Errorf("parseClaims(%q) = %v, want an error", text, got)
		}
	})
}
