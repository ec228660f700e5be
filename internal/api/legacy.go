package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
)

// These routes are in no description of the API. The official plugin for the
// Serverless Framework (serverless-scaleway-functions 0.5.1) asks for them.

func (a *API) listFunctionsOfNamespace(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "namespace_id")
	if err != nil {
		return nil, err
	}
	return a.functionsOf(r, scope, id)
}

type issuedTokenAnswer struct {
	id    string
	Token string `json:"token"`
}

// issueToken makes a token as createToken does: one that is listed, and can be
// revoked, as those of the real route could not. The plugin names its expiry
// expiration_date, Scaleway's documentation of 2021 expires_at; of two that
// differ the token would be good for longer than one of them says, so that they
// are refused.
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
	case !expirationDate.IsZero() && !expirationDate.Equal(expiresAt):
		return nil, &functions.Error{
			Code: functions.InvalidArgument, Argument: "expiration_date", Reason: "constraint",
			Message: "is another instant than expires_at: give one of the two",
		}
	}
	issued, err := a.Service.CreateToken(r.Context(), scope, functions.CreateToken{
		FunctionID: query.Get("function_id"), NamespaceID: query.Get("namespace_id"), ExpiresAt: expiresAt,
	})
	return issuedTokenAnswer{id: issued.ID, Token: issued.Text.Reveal()}, err
}
