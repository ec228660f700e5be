package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// The endpoints in this file are undocumented at Scaleway. The official plugin for the
// Serverless Framework (serverless-scaleway-functions 0.5.1) uses them.

func (a *API) listFunctionsOfNamespace(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "namespace_id")
	if err != nil {
		return nil, err
	}
	return a.functionsOf(r, scope, id)
}

type issuedTokenResponse struct {
	id    string
	Token string `json:"token"`
}

func (t issuedTokenResponse) objectID() string { return t.id }

// issueToken creates a token like createToken. Unlike the tokens of Scaleway's endpoint it
// is listed and can be revoked. The plugin sends the expiry as expiration_date, Scaleway's
// documentation of 2021 has expires_at; if both are given they must be the same time, since
// the token would otherwise be valid for longer than one of them.
func (a *API) issueToken(r *http.Request, scope functions.Scope) (any, error) {
	query := r.URL.Query()
	expiresAt, err := parseExpiry("expires_at", query.Get("expires_at"))
	if err != nil {
		return nil, err
	}
	expirationDate, err := parseExpiry("expiration_date", query.Get("expiration_date"))
	if err != nil {
		return nil, err
	}
	switch {
	case expiresAt.IsZero():
		expiresAt = expirationDate
	case !expirationDate.IsZero() && !expirationDate.Truncate(time.Second).Equal(expiresAt.Truncate(time.Second)):
		return nil, &functions.Error{
			Code: functions.InvalidArgument, Argument: "expiration_date", Reason: "constraint",
			Message: "must be the same time as expires_at: give only one of them",
		}
	}
	issued, err := a.config.Service.CreateToken(r.Context(), scope, functions.CreateToken{
		FunctionID: query.Get("function_id"), NamespaceID: query.Get("namespace_id"), ExpiresAt: expiresAt,
	})
	return issuedTokenResponse{id: issued.ID, Token: issued.Text.Reveal()}, err
}
