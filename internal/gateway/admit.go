package gateway

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// tokenHeaders are the headers that may contain a token: that of Scaleway's documentation, and
// the two that its runtime read before 2021. The names are in the form of net/http.
var tokenHeaders = []string{"X-Auth-Token", "Scw-Functions-Token", http.CanonicalHeaderKey("SCW_FUNCTIONS_TOKEN")}

// A reason is why a call was denied. It appears in the log and in metrics, never in the
// answer.
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
	// token or accessKey identifies the credential, if it is known.
	token     uuid.UUID
	accessKey string
}

// tokenID returns the ID of the token; empty if it is not known.
func (a admission) tokenID() string {
	if a.token == uuid.Nil {
		return ""
	}
	return a.token.String()
}

// Authenticator finds API keys.
type Authenticator interface {
	// Authenticate returns the API key with a secret key. If it has expired, it returns the
	// key and iam.ErrExpired.
	Authenticate(secretKey string, now time.Time) (iam.APIKey, error)
}

// admit decides about a call of a private function. A token is valid only if the table
// contains the digest of its text. No part of the token is parsed, so no signature, algorithm
// or claim can mislead the gateway.
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
	if g.config.RefuseTokens {
		return g.refuseToken(digest)
	}
	var decision admission
	decision.token, decision.reason = g.config.Table.authorize(digest, to, now)
	decision.admitted = decision.reason == ""
	return decision
}

// refuseToken denies a token because tokens are turned off.
func (g *Gateway) refuseToken(digest functions.Digest) admission {
	token, known := g.config.Table.tokenID(digest)
	if !known {
		return admission{reason: unknownToken}
	}
	return admission{token: token, reason: tokensOff}
}

// admitKey decides about the secret key of an API key. It must cover the project of the
// function and permit calls.
func (g *Gateway) admitKey(secretKey string, to route, now time.Time) admission {
	key, err := g.config.Keys.Authenticate(secretKey, now)
	decision := admission{accessKey: key.AccessKey}
	switch {
	case errors.Is(err, iam.ErrExpired):
		decision.reason = expiredKey
	case err != nil:
		decision.reason = unknownKey
	case g.config.RefuseKeys:
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

// presentedToken returns the token of a call; empty if there is none. ok is false if there are
// two different tokens: a proxy may have checked the other one.
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

// removeTokens removes the headers that may contain a token.
func removeTokens(header http.Header) {
	for _, name := range tokenHeaders {
		delete(header, name)
	}
}
