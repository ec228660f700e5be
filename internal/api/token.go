package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// tokenResponse is a token. Except in the response to its creation, Token is hidden and
// PublicKey is empty.
type tokenResponse struct {
	Token       string           `json:"token"`
	PublicKey   string           `json:"public_key"`
	FunctionID  string           `json:"function_id,omitempty"`
	NamespaceID string           `json:"namespace_id,omitempty"`
	ID          string           `json:"id"`
	Status      functions.Status `json:"status"`
	ExpiresAt   expiry           `json:"expires_at"`
	Description string           `json:"description"`
}

func (t tokenResponse) objectID() string { return t.ID }

// hidden replaces the text of a token in later responses, as recorded.
const hidden = "<hidden>"

func encodeToken(t functions.Token, _ access) tokenResponse {
	return tokenResponse{
		Token: hidden, FunctionID: t.FunctionID, NamespaceID: t.NamespaceID, ID: t.ID,
		Status: t.Status, ExpiresAt: expiry(t.ExpiresAt), Description: t.Description,
	}
}

type createTokenRequest struct {
	FunctionID  string `json:"function_id"`
	NamespaceID string `json:"namespace_id"`
	Description string `json:"description"`
	ExpiresAt   string `json:"expires_at"`
}

func (a *API) createToken(r *http.Request, scope functions.Scope) (any, error) {
	var request createTokenRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	expiresAt, err := parseExpiry("expires_at", request.ExpiresAt)
	if err != nil {
		return nil, err
	}
	issued, err := a.config.Service.CreateToken(r.Context(), scope, functions.CreateToken{
		FunctionID: request.FunctionID, NamespaceID: request.NamespaceID,
		Description: request.Description, ExpiresAt: expiresAt,
	})
	if err != nil {
		return nil, err
	}
	body := encodeToken(issued.Token, created)
	body.Token, body.PublicKey = issued.Text.Reveal(), issued.PublicKey
	return body, nil
}

// parseExpiry parses a time, and returns the zero time for an empty text.
func parseExpiry(argument, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Unix() <= 0 {
		return time.Time{}, &functions.Error{
			Code: functions.InvalidArgument, Argument: argument, Reason: "format",
			Message: "must be a date and time such as 2027-01-31T12:00:00Z, after 1970 (RFC 3339)",
		}
	}
	return at.UTC(), nil
}

func (a *API) getToken(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "token_id")
	if err != nil {
		return nil, err
	}
	t, err := a.config.Service.Token(r.Context(), scope, id)
	return encodeToken(t, read), err
}

type tokensResponse struct {
	Tokens     []tokenResponse `json:"tokens"`
	TotalCount int             `json:"total_count"`
}

func (a *API) listTokens(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	filter := queryFilter(r)
	filter.Name = ""
	found, total, err := a.config.Service.Tokens(r.Context(), scope, filter, page)
	return tokensResponse{encodeAll(found, encodeToken), total}, err
}

func (a *API) deleteToken(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "token_id")
	if err != nil {
		return nil, err
	}
	t, err := a.config.Service.DeleteToken(r.Context(), scope, id)
	body := encodeToken(t, updated)
	body.Token = ""
	return body, err
}
