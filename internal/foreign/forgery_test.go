package foreign_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A forgery is a token that must not be admitted.
type forgery struct{ name, text string }

// The tokens of the suite.
const (
	victim   = 1 // of the function, without expiry, not adopted
	deleted  = 2 // was imported and deleted
	sibling  = 3 // of another function
	ofSpace  = 4 // of the namespace
	limited  = 5 // of the function, expires in the list
	foreign2 = 6 // of the other namespace
	unknown  = 99
)

func forgeries(t *testing.T, w *world) []forgery {
	t.Helper()
	good := claims(tokenID(victim), "", functionID, 0)
	text := w.own.sign(header, good)
	parts := strings.Split(text, ".")
	all := []forgery{
		{"the ID of a deleted token", w.own.sign(header, claims(tokenID(deleted), "", functionID, 0))},
		{"the ID of a token that was never imported", w.own.sign(header, claims(tokenID(unknown), "", functionID, 0))},
		{"the ID of another function's token", w.own.sign(header, claims(tokenID(sibling), "", functionID, 0))},
		{"the ID of the namespace's token", w.own.sign(header, claims(tokenID(ofSpace), "", functionID, 0))},
		{"another function's token", w.own.sign(header, claims(tokenID(sibling), "", siblingID, 0))},
		{"another namespace's token", w.two.sign(header, claims(tokenID(foreign2), otherNSID, "", 0))},
		{"another namespace's key", w.two.sign(header, good)},
		{"another namespace's key and the namespace as scope", w.two.sign(header, claims(tokenID(ofSpace), namespaceID, "", 0))},
		{"both claims set", w.own.sign(header, claims(tokenID(victim), namespaceID, functionID, 0))},
		{"no claim set", w.own.sign(header, claims(tokenID(victim), "", "", 0))},
		{"wider scope", w.own.sign(header, claims(tokenID(victim), namespaceID, "", 0))},
		{"expired", w.own.sign(header, claims(tokenID(victim), "", functionID, start.Unix()))},
		{"expired in 1970", w.own.sign(header, claims(tokenID(victim), "", functionID, 1))},
		{"expired by the list, not by the claim", w.own.sign(header, claims(tokenID(limited), "", functionID, start.Unix()+1000))},
		{"without the signature", parts[0] + "." + parts[1] + "."},
		{"two parts", parts[0] + "." + parts[1]},
		{"four parts", text + "." + parts[2]},
		{"five parts, as encrypted tokens", text + ".." + parts[2]},
		{"a leading space", " " + text},
		{"a trailing space", text + " "},
		{"a scheme", "Bearer " + text},
		{"padding", parts[0] + "." + parts[1] + "." + parts[2] + "="},
		{"a line break in the signature", parts[0] + "." + parts[1] + "." + parts[2][:10] + "\n" + parts[2][10:]},
		{"the signature in standard base64", parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]) + "+"},
		{"the signature of another token", parts[0] + "." + parts[1] + "." + strings.Split(w.own.sign(header, claims(tokenID(ofSpace), namespaceID, "", 0)), ".")[2]},
		{"a huge signature", parts[0] + "." + parts[1] + "." + strings.Repeat("A", 1<<20)},
		{"a huge header", encode(`{"alg":"RS256","typ":"JWT","x":"`+strings.Repeat("x", 1<<20)+`"}`) + "." + parts[1] + "." + parts[2]},
		{"a huge claim", w.own.sign(header, strings.TrimSuffix(good, "}")+`,"x":"`+strings.Repeat("x", 1<<20)+`"}`)},
		{"deep nesting", w.own.sign(header, strings.Repeat("[", 1000)+strings.Repeat("]", 1000))},
		{"an empty text of dots", ".."},
		{"the JSON serialization", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`},
	}
	return slices.Concat(all, headerForgeries(w, good), claimForgeries(w, good), signatureForgeries(t, w, good, parts), bitFlips(parts))
}

// headerForgeries have another header, with a signature that fits where there is one.
func headerForgeries(w *world, good string) []forgery {
	var all []forgery
	for _, header := range []string{
		`{"alg":"none","typ":"JWT"}`, `{"alg":"None","typ":"JWT"}`, `{"alg":"NONE","typ":"JWT"}`, `{"alg":"nOnE"}`, `{"alg":"","typ":"JWT"}`, `{"typ":"JWT"}`, `{}`,
		`{"alg":null,"typ":"JWT"}`, `{"alg":["RS256"],"typ":"JWT"}`,
	} {
		all = append(all,
			forgery{header + " without a signature", encode(header) + "." + encode(good) + "."},
			forgery{header + " with a signature", w.own.sign(header, good)},
		)
	}
	for _, header := range []string{
		`{"alg":"RS384","typ":"JWT"}`, `{"alg":"RS512","typ":"JWT"}`, `{"alg":"PS256","typ":"JWT"}`, `{"alg":"ES256","typ":"JWT"}`, `{"alg":"EdDSA","typ":"JWT"}`,
		`{"alg":"rs256","typ":"JWT"}`, `{"alg":"RS256 ","typ":"JWT"}`, `{"alg":"RS256","alg":"none","typ":"JWT"}`, `{"alg":"none","alg":"RS256","typ":"JWT"}`,
		`{"alg":"RS256","typ":"JWT","crit":["x"],"x":1}`, `{"alg":"RS256","typ":"JWT","b64":false,"crit":["b64"]}`, `{"alg":"RS256","typ":"JWT","zip":"DEF"}`,
		`{"alg":"RS256","typ":"JWT","kid":"../../../../dev/null"}`, `{"alg":"RS256","typ":"JWT","kid":"x' OR '1'='1"}`,
		`{"alg":"RS256","typ":"JWT","jku":"https://attacker.example/jwks.json"}`, `{"alg":"RS256","typ":"JWT","x5u":"https://attacker.example/x.pem"}`,
		`{"typ":"JWT","alg":"RS256"}`, `{"alg":"RS256","typ":"JWT"} `, `{"ALG":"RS256","typ":"JWT"}`, `{"alg":"RS256","typ":"JOSE"}`, "\ufeff" + header, `{"alg":"RS256"}`,
	} {
		all = append(all, forgery{header, w.own.sign(header, good)})
	}
	// The attacker's key is in the header.
	n := encode(string(w.two.key.N.Bytes()))
	for _, header := range []string{
		`{"alg":"RS256","typ":"JWT","jwk":{"kty":"RSA","e":"AQAB","n":"` + n + `"}}`,
		`{"alg":"RS256","typ":"JWT","x5c":["` + n + `"]}`,
	} {
		all = append(all, forgery{header[:40] + " with the attacker's key", w.two.sign(header, good)})
	}
	// The public key is the secret of an HMAC.
	for name, secret := range map[string]string{
		"PEM": w.own.pem, "PEM without a line break": strings.TrimSpace(w.own.pem), "modulus": string(w.own.key.N.Bytes()), "empty": "",
	} {
		for _, alg := range []string{"HS256", "HS384", "HS512", "RS256"} {
			signed := encode(`{"alg":"`+alg+`","typ":"JWT"}`) + "." + encode(good)
			mac := hmac.New(sha256.New, []byte(secret))
			if alg == "HS512" || alg == "HS384" {
				mac = hmac.New(sha512.New, []byte(secret))
			}
			mac.Write([]byte(signed))
			all = append(all, forgery{alg + " with the " + name + " as the secret", signed + "." + encode(string(mac.Sum(nil)))})
		}
	}
	return all
}

// claimForgeries are signed by the right key, as a careless issuer could, but differ from
// the form of Scaleway's tokens.
func claimForgeries(w *world, good string) []forgery {
	replace := func(old, with string) string {
		changed := strings.Replace(good, old, with, 1)
		if changed == good {
			panic("nothing to replace: " + old)
		}
		return changed
	}
	id := tokenID(victim)
	scope := fmt.Sprintf(`{"namespace_id":"","application_id":%q}`, functionID)
	var all []forgery
	for name, changed := range map[string]string{
		"another issuer":                replace(`"SCALEWAY"`, `"scaleway"`),
		"an empty issuer":               replace(`"SCALEWAY"`, `""`),
		"no issuer":                     replace(`"iss":"SCALEWAY",`, ``),
		"an escaped issuer":             replace(`SCALEWAY`, `SCALEWA\u0059`),
		"another audience":              replace(`"aud":"functions"`, `"aud":"containers"`),
		"a list of audiences":           replace(`"aud":"functions"`, `"aud":["functions"]`),
		"two audiences":                 replace(`"aud":"functions"`, `"aud":["functions","x"]`),
		"no audience":                   replace(`"aud":"functions",`, ``),
		"another version":               replace(`"version":2`, `"version":1`),
		"the version as text":           replace(`"version":2`, `"version":"2"`),
		"the version as a fraction":     replace(`"version":2`, `"version":2.0`),
		"no version":                    replace(`"version":2,`, ``),
		"another subject":               replace(`"sub":"token"`, `"sub":"user"`),
		"no subject":                    replace(`,"sub":"token"`, ``),
		"no ID":                         replace(`"jti":"`+id+`",`, ``),
		"an empty ID":                   replace(id, ``),
		"the ID in capitals":            replace(functionID, strings.ToUpper(functionID)),
		"the ID with braces":            replace(id, "{"+id+"}"),
		"the ID as a URN":               replace(id, "urn:uuid:"+id),
		"the ID as a list":              replace(`"jti":"`+id+`"`, `"jti":["`+id+`"]`),
		"the ID twice":                  replace(`"jti":"`+id+`"`, `"jti":"`+tokenID(unknown)+`","jti":"`+id+`"`),
		"the ID twice, the right first": replace(`"jti":"`+id+`"`, `"jti":"`+id+`","jti":"`+tokenID(unknown)+`"`),
		"the issuer twice":              replace(`"iss":"SCALEWAY"`, `"iss":"SCALEWAY","iss":"SCALEWAY"`),
		"an expiry twice":               replace(`"iat"`, `"exp":1,"exp":32503680000,"iat"`),
		"a name in capitals":            replace(`"iat"`, `"EXP":32503680000,"iat"`),
		"an escaped name":               replace(`"jti"`, `"\u006ati":"`+id+`","jti"`),
		"an unknown member":             replace(`"iat"`, `"admin":true,"iat"`),
		"the expiry null":               replace(`"iat"`, `"exp":null,"iat"`),
		"the expiry as text":            replace(`"iat"`, `"exp":"32503680000","iat"`),
		"the expiry as a fraction":      replace(`"iat"`, `"exp":32503680000.5,"iat"`),
		"the expiry with an exponent":   replace(`"iat"`, `"exp":1e18,"iat"`),
		"the expiry negative":           replace(`"iat"`, `"exp":-1,"iat"`),
		"the expiry out of range":       replace(`"iat"`, `"exp":99999999999999999999,"iat"`),
		"the expiry zero":               replace(`"iat"`, `"exp":0,"iat"`),
		"not yet valid":                 replace(fmt.Sprintf(`"nbf":%d`, start.Unix()-60), fmt.Sprintf(`"nbf":%d`, start.Unix()+1)),
		"no nbf":                        replace(fmt.Sprintf(`"nbf":%d,`, start.Unix()-60), ``),
		"no iat":                        replace(fmt.Sprintf(`"iat":%d,`, start.Unix()-60), ``),
		"nbf null":                      replace(fmt.Sprintf(`"nbf":%d`, start.Unix()-60), `"nbf":null`),
		"no scope":                      replace(`[`+scope+`]`, `[]`),
		"two scopes":                    replace(scope, scope+","+scope),
		"the scope of both IDs in two":  replace(scope, scope+`,{"namespace_id":"`+namespaceID+`","application_id":""}`),
		"the scope as an object":        replace(`[`+scope+`]`, scope),
		"the scope null":                replace(`[`+scope+`]`, `null`),
		"a scope of null":               replace(scope, `null`),
		"the scope twice":               replace(`"version"`, `"application_claim":[`+scope+`],"version"`),
		"the function twice":            replace(`"application_id"`, `"application_id":"`+siblingID+`","application_id"`),
		"the older name function_id":    replace(`application_id`, `function_id`),
		"a scope with a member more":    replace(`"application_id"`, `"x":1,"application_id"`),
		"a prefix of the function's ID": replace(functionID, functionID[:35]),
		"a wildcard":                    replace(functionID, "*"),
		"data after the claims":         good + `{}`,
		"a second object":               good + good,
		"a list of claims":              `[` + good + `]`,
		"claims as text":                fmt.Sprintf("%q", good),
		"not JSON":                      "x",
		"no claims":                     "",
		"null":                          "null",
	} {
		all = append(all, forgery{name, w.own.sign(header, changed)})
	}
	return all
}

// signatureForgeries have the right header and claims, and a signature that a careless
// verifier accepts.
func signatureForgeries(t *testing.T, w *world, good string, parts []string) []forgery {
	t.Helper()
	signed := parts[0] + "." + parts[1]
	raw := func(name string, signature []byte) forgery {
		return forgery{name, signed + "." + encode(string(signature))}
	}
	key := w.own.key
	size := key.Size()
	digest256, digest512, digest1 := sha256.Sum256([]byte(signed)), sha512.Sum512([]byte(signed)), sha256.Sum256([]byte(good))
	must := func(signature []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	genuine := must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest256[:]))
	number := new(big.Int).SetBytes(genuine)
	all := []forgery{
		raw("RSA-PSS with the right key", must(rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest256[:], nil))),
		raw("SHA-512 with the right key", must(rsa.SignPKCS1v15(nil, key, crypto.SHA512, digest512[:]))),
		raw("no digest information", must(rsa.SignPKCS1v15(nil, key, 0, digest256[:]))),
		raw("the signature of the claims only", must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest1[:]))),
		raw("zeros", make([]byte, size)), raw("one", append(make([]byte, size-1), 1)),
		raw("the modulus", key.N.Bytes()), raw("the modulus less one", new(big.Int).Sub(key.N, big.NewInt(1)).Bytes()),
		raw("the signature plus the modulus", new(big.Int).Add(number, key.N).Bytes()),
		raw("the negative signature", new(big.Int).Sub(key.N, number).Bytes()),
		raw("a leading zero", append([]byte{0}, genuine...)), raw("a trailing zero", append(slices.Clone(genuine), 0)),
		raw("one byte less", genuine[:size-1]), raw("the first byte less", genuine[1:]), raw("the digest itself", digest256[:]),
		raw("reversed", reversed(genuine)),
	}
	// Bleichenbacher's forgery of 2006 for the exponent 3: a cube root, with garbage after
	// the digest.
	cube := append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0},
		append([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, digest256[:]...)...)
	target := new(big.Int).SetBytes(append(cube, slices.Repeat([]byte{0xff}, size-len(cube))...))
	all = append(all, raw("Bleichenbacher's cube root", cubeRoot(target).FillBytes(make([]byte, size))))
	return all
}

func reversed(b []byte) []byte {
	r := slices.Clone(b)
	slices.Reverse(r)
	return r
}

// cubeRoot returns the integer part of the cube root.
func cubeRoot(n *big.Int) *big.Int {
	low, high := big.NewInt(0), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+2))
	for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
		middle := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(middle, big.NewInt(3), nil).Cmp(n) > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// bitFlips returns the token with each bit of its decoded signature and claims flipped,
// every seventh one to save time, and with each character changed.
func bitFlips(parts []string) []forgery {
	var all []forgery
	for part := 1; part <= 2; part++ {
		decoded := decode(parts[part])
		for bit := 0; bit < len(decoded)*8; bit += 7 {
			changed := slices.Clone(decoded)
			changed[bit/8] ^= 1 << (bit % 8)
			flipped := slices.Clone(parts)
			flipped[part] = encode(string(changed))
			all = append(all, forgery{fmt.Sprintf("bit %d of part %d flipped", bit, part), strings.Join(flipped, ".")})
		}
	}
	text := strings.Join(parts, ".")
	for i := range text {
		changed := []byte(text)
		changed[i] ^= 1
		all = append(all, forgery{fmt.Sprintf("character %d changed", i), string(changed)})
	}
	return all
}

func TestForgeries_AreNeverAdmitted(t *testing.T) {
	t.Parallel()
	// The limits would deny most forgeries unverified.
	w := newWorld(t, foreign.Limits{Failures: 1 << 20, TotalFailures: 1 << 20})
	w.token(victim, nil)
	gone := w.token(deleted, nil)
	w.token(sibling, func(t *functions.Token) { t.FunctionID = siblingID })
	w.token(ofSpace, func(t *functions.Token) { t.FunctionID, t.NamespaceID = "", namespaceID })
	w.token(limited, func(t *functions.Token) { t.ExpiresAt = start })
	w.token(foreign2, func(t *functions.Token) { t.FunctionID, t.NamespaceID = "", otherNSID })
	if err := w.db.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(gone) }); err != nil {
		t.Fatal(err)
	}
	all := forgeries(t, w)
	reasons := map[string]int{}
	for _, f := range all {
		reason := w.call(f.text)
		if reason == "" {
			t.Errorf("%s is admitted", f.name)
		}
		reasons[reason]++
	}
	for n := victim; n <= foreign2; n++ {
		if n != deleted && w.stored(n).Adopted() {
			t.Errorf("token %d was adopted by a forgery", n)
		}
	}
	// The suite proves something only if the genuine token is admitted by the same path.
	if reason := w.call(w.own.sign(header, claims(tokenID(victim), "", functionID, 0))); reason != "" {
		t.Errorf("the genuine token is denied: %s", reason)
	}
	summary, _ := json.Marshal(reasons)
	t.Logf("%d forgeries, 0 admitted: %s", len(all), summary)
	if reasons["invalid imported token"] < 1000 {
		t.Errorf("got %d forgeries whose signature was verified, want at least 1000", reasons["invalid imported token"])
	}
}

func decode(part string) []byte {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		panic(err)
	}
	return decoded
}
