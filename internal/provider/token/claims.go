package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// maxToken bounds, in bytes, what is taken for a token. The service's have about
// 1 KB.
const maxToken = 64 << 10

// claims is what a token says of itself.
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

// The errors of parseClaims. They repeat nothing of the text, which is secret.
var (
	errNotJWT   = errors.New("this is no token: a token is three texts with dots between them, as the attribute token of scaleway_function_token has it")
	errNoClaims = errors.New("this is no token of a function: its middle part does not hold the claims that such tokens have")
)

// parseClaims reads the claims of a token, in the form of Scaleway's tokens of
// 2022 to 2026 (recorded traffic). It does not look at the signature.
func parseClaims(token string) (claims, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return claims{}, errNotJWT
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}, errNotJWT
	}
	var said struct {
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
	if err := json.Unmarshal(content, &said); err != nil || len(said.ApplicationClaim) != 1 {
		return claims{}, errNoClaims
	}
	return claims{
		ID:          textClaim(said.ID),
		FunctionID:  textClaim(said.ApplicationClaim[0].ApplicationID),
		NamespaceID: textClaim(said.ApplicationClaim[0].NamespaceID),
		IssuedAt:    timeClaim(said.IssuedAt),
		NotBefore:   timeClaim(said.NotBefore),
		ExpiresAt:   timeClaim(said.ExpiresAt),
		Issuer:      textClaim(said.Issuer),
		Audience:    textClaim(said.Audience),
		Subject:     textClaim(said.Subject),
	}, nil
}

// textClaim returns null for a claim that is absent or says nothing.
func textClaim(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(strings.ToValidUTF8(text, ""))
}

// lastSecond is the end of the year 9999, in seconds since 1970: RFC 3339 has no
// later years.
const lastSecond = 253402300799

// timeClaim writes seconds since 1970 as an instant in UTC; null if there are
// none.
func timeClaim(seconds int64) types.String {
	if seconds <= 0 || seconds > lastSecond {
		return types.StringNull()
	}
	return types.StringValue(time.Unix(seconds, 0).UTC().Format(time.RFC3339))
}
