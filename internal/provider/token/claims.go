package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// maxToken is the maximum size of a token in bytes. The service's tokens have about
// 1 KB.
const maxToken = 64 << 10

// claims are the claims of a token, as attributes.
type claims struct {
	ID          types.String `tfsdk:"id"`
	FunctionID  types.String `tfsdk:"function_id"`
	NamespaceID types.String `tfsdk:"namespace_id"`
	IssuedAt    types.String `tfsdk:"issued_at"`
	NotBefore   types.String `tfsdk:"not_before"`
	ExpiresAt   types.String `tfsdk:"expires_at"`
	Issuer      types.String `tfsdk:"issuer"`
	Audience    types.String `tfsdk:"audience"`
	Subject     types.String `tfsdk:"subject"`
}

// The errors of parseClaims. They contain nothing of the token, which is secret.
var (
	errNotJWT   = errors.New("not a token: a token has three parts with dots between them, like the attribute token of scaleway_function_token")
	errNoClaims = errors.New("not a token of a function or namespace: its second part does not contain the claims of such a token")
)

// parseClaims parses the claims of a token in the format of Scaleway's tokens of 2022
// to 2026 (recorded traffic). It does not verify the signature.
func parseClaims(token string) (claims, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return claims{}, errNotJWT
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}, errNotJWT
	}
	var parsed struct {
		ApplicationClaim []struct {
			NamespaceID   string `json:"namespace_id"`
			ApplicationID string `json:"application_id"`
		} `json:"application_claim"`
		ID        string `json:"jti"`
		IssuedAt  int64  `json:"iat"`
		NotBefore int64  `json:"nbf"`
		ExpiresAt int64  `json:"exp"`
		Issuer    string `json:"iss"`
		Audience  string `json:"aud"`
		Subject   string `json:"sub"`
	}
	if err := json.Unmarshal(content, &parsed); err != nil || len(parsed.ApplicationClaim) != 1 {
		return claims{}, errNoClaims
	}
	return claims{
		ID:          textClaim(parsed.ID),
		FunctionID:  textClaim(parsed.ApplicationClaim[0].ApplicationID),
		NamespaceID: textClaim(parsed.ApplicationClaim[0].NamespaceID),
		IssuedAt:    timeClaim(parsed.IssuedAt),
		NotBefore:   timeClaim(parsed.NotBefore),
		ExpiresAt:   timeClaim(parsed.ExpiresAt),
		Issuer:      textClaim(parsed.Issuer),
		Audience:    textClaim(parsed.Audience),
		Subject:     textClaim(parsed.Subject),
	}, nil
}

// textClaim returns a string claim, null if it is absent or empty.
func textClaim(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(strings.ToValidUTF8(text, ""))
}

// lastSecond is the end of the year 9999 in seconds since 1970. RFC 3339 cannot express
// later times.
const lastSecond = 253402300799

// timeClaim returns a time claim, in seconds since 1970, as a time in UTC; null if it
// is absent or out of range.
func timeClaim(seconds int64) types.String {
	if seconds <= 0 || seconds > lastSecond {
		return types.StringNull()
	}
	return types.StringValue(time.Unix(seconds, 0).UTC().Format(time.RFC3339))
}
