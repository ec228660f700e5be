package gateway

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// tokenHeaders are the headers that a token is looked for in: the one of
// Scaleway's documentation, and the two that its runtime read before 2021, in
// the form that net/http gives them.
var tokenHeaders = []string{"X-Auth-Token", "Scw-Functions-Token", http.CanonicalHeaderKey("SCW_FUNCTIONS_TOKEN")}

// A reason says why a call was refused: to the operator, never to the caller.
type reason string

const (
	noToken        reason = "no token"
	severalTokens  reason = "several different tokens"
	unknownToken   reason = "unknown token"
	revokedToken   reason = "revoked token"
	expiredToken   reason = "expired token"
	otherFunction  reason = "token of another function"
	otherNamespace reason = "token of another namespace"
	noScope        reason = "token without a scope"
	unknownKey     reason = "unknown API key"
	expiredKey     reason = "expired API key"
	otherProject   reason = "API key of another project"
	noGrant        reason = "API key without the grant"
	tokensOff      reason = "tokens are turned off"
	keysOff        reason = "API keys are turned off"
)

// An admission is the decision on one call of a private function.
type admission struct {
	admitted bool
	reason   reason
	// token or accessKey names what was presented, as far as it is known.
	token     uuid.UUID
	accessKey string
}

// tokenID is the token's ID as text, empty if it is not known.
func (a admission) tokenID() string {
	if a.token == uuid.Nil {
		return ""
	}
	return a.token.String()
}

// Authenticator says who has the secret key of an API key.
type Authenticator interface {
	// Authenticate returns the API key with that secret key, or an error; with
	// iam.ErrExpired the key as well.
	Authenticate(secretKey string, now time.Time) (iam.APIKey, error)
}

// admit decides on a call of a private function. A token is what was issued,
// byte for byte: its digest is known or it is nothing. No part of it is
// parsed, so there is no signature, algorithm or claim to be tricked with.
func (g *Gateway) admit(header http.Header, to route, now time.Time) admission {
	presented, ok := presentedToken(header)
	switch {
	case !ok:
		return admission{reason: severalTokens}
	case presented == "":
		return admission{reason: noToken}
	case functions.ValidID(presented):
		return g.admitKey(presented, to, now)
	}
	digest := functions.DigestOf(presented)
	if g.RefuseTokens {
		return g.refuseToken(digest)
	}
	var decision admission
	decision.token, decision.reason = g.Table.open(digest, to, now)
	decision.admitted = decision.reason == ""
	return decision
}

// refuseToken says of which token it is that tokens open nothing.
func (g *Gateway) refuseToken(digest functions.Digest) admission {
	token, known := g.Table.tokenID(digest)
	if !known {
		return admission{reason: unknownToken}
	}
	return admission{token: token, reason: tokensOff}
}

// admitKey decides on the secret key of an API key, which opens the private
// functions of its projects.
func (g *Gateway) admitKey(secretKey string, to route, now time.Time) admission {
	key, err := g.Keys.Authenticate(secretKey, now)
	decision := admission{accessKey: key.AccessKey}
	switch {
	case errors.Is(err, iam.ErrExpired):
		decision.reason = expiredKey
	case err != nil:
		decision.reason = unknownKey
	case g.RefuseKeys:
		decision.reason = keysOff
	case !key.Covers(to.projectID, to.organizationID):
		decision.reason = otherProject
	case !key.May(iam.Call):
		decision.reason = noGrant
	default:
		decision.admitted = true
	}
	return decision
}

// presentedToken returns the one token of a call, empty if there is none; not
// ok if there are two that differ, because then somebody on the way may have
// looked at the other one.
func presentedToken(header http.Header) (token string, ok bool) {
	for _, name := range tokenHeaders {
		for _, value := range header[name] {
			if token != "" && value != "" && value != token {
				return "", false
			}
			if value != "" {
				token = value
			}
		}
	}
	return token, true
}

// withoutTokens removes the tokens from what a function gets to see.
func withoutTokens(header http.Header) {
	for name := range header {
		if slices.Contains(tokenHeaders, name) {
			header.Del(name)
		}
	}
}
