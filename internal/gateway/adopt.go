package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
)

// Adopter adopts tokens of other issuers.
type Adopter interface {
	// Adopt verifies a token that is not in the table. If it returns nil, the table
	// contains the token unless it has been deleted. It returns the errors of package
	// foreign, and the ID of the token if it is known.
	Adopt(ctx context.Context, c foreign.Call) (uuid.UUID, error)
}

// The reasons for denying a token of another issuer that was not adopted.
const (
	invalidForeign reason = "invalid imported token"
	earlyForeign   reason = "imported token is not valid yet"
	otherForeign   reason = "imported token of another function or namespace"
	foreignOff     reason = "imported tokens are turned off"
	foreignBusy    reason = "too many imported tokens are being verified"
	foreignFailed  reason = "the adoption of the imported token could not be stored"
)

var foreignReasons = map[error]reason{
	foreign.ErrInvalid:     invalidForeign,
	foreign.ErrNotYet:      earlyForeign,
	foreign.ErrExpired:     expiredToken,
	foreign.ErrScope:       otherForeign,
	foreign.ErrRefused:     foreignOff,
	foreign.ErrBusy:        foreignBusy,
	foreign.ErrUnavailable: foreignFailed,
}

// undecided reports whether the token may be valid, and the caller should try again.
func (a admission) undecided() bool { return a.reason == foreignBusy || a.reason == foreignFailed }

// absent reports whether the table does not contain the token.
func (a admission) absent() bool { return a.reason == unknownToken || a.reason == revokedToken }

// adopt adopts a token that is not in the table if it is an imported token, and then the
// table decides again. A revoked token can have been imported again since. The table
// decides after every outcome, since a concurrent call may have adopted the token.
func (g *Gateway) adopt(r *http.Request, c *call, denied admission) admission {
	if !denied.absent() || g.config.Adopter == nil || g.config.RefuseTokens {
		return denied
	}
	text, ok := presentedToken(r.Header)
	if !ok || !foreign.LooksLikeToken(text) {
		return denied
	}
	digest := functions.DigestOf(text)
	id, err := g.config.Adopter.Adopt(r.Context(), foreign.Call{
		Text: text, Digest: digest, Function: c.to.function, Namespace: c.to.namespace,
		From: g.callerAddress(r), Now: c.decided,
	})
	var decision admission
	decision.token, decision.reason = g.config.Table.authorize(digest, c.to, c.decided)
	decision.admitted = decision.reason == ""
	if !decision.absent() || err == nil {
		return decision
	}
	for known, reason := range foreignReasons {
		if errors.Is(err, known) {
			return admission{token: id, reason: reason}
		}
	}
	return decision
}
