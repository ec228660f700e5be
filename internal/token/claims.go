package token

import "github.com/jeton-dev/jeton/internal/functions"

// audience is the aud claim of every token.
const audience = "functions"

// claims is the payload of a token, with its members in the order of Scaleway's tokens
// (decoded from recorded traffic of 2022 to 2026), so that the encoded payload has the
// same form.
type claims struct {
	ApplicationClaim []applicationClaim `json:"application_claim"`
	Version          int                `json:"version"`
	Audience         string             `json:"aud"`
	ExpiresAt        int64              `json:"exp,omitempty"`
	ID               string             `json:"jti"`
	IssuedAt         int64              `json:"iat"`
	Issuer           string             `json:"iss"`
	NotBefore        int64              `json:"nbf"`
	Subject          string             `json:"sub"`
}

// applicationClaim is the scope of a token. Both members are always present; the one
// that does not apply is the empty string.
type applicationClaim struct {
	NamespaceID   string `json:"namespace_id"`
	ApplicationID string `json:"application_id"`
}

func claimsOf(t functions.Token) claims {
	c := claims{
		ApplicationClaim: []applicationClaim{{NamespaceID: t.NamespaceID, ApplicationID: t.FunctionID}},
		Version:          2,
		Audience:         audience,
		ID:               t.ID,
		IssuedAt:         t.CreatedAt.Unix(),
		Issuer:           "SCALEWAY",
		NotBefore:        t.CreatedAt.Unix(),
		Subject:          "token",
	}
	if !t.ExpiresAt.IsZero() {
		c.ExpiresAt = t.ExpiresAt.Unix()
	}
	return c
}
