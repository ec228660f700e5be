package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// tokenAnswer shows the text of a token in the answer to its creation only.
type tokenAnswer struct {
	Token       string           `json:"token"`
	PublicKey   string           `json:"public_key"`
	FunctionID  string           `json:"function_id,omitempty"`
	NamespaceID string           `json:"namespace_id,omitempty"`
	ID          string           `json:"id"`
	Status      functions.Status `json:"status"`
	ExpiresAt   expiry           `json:"expires_at"`
	Description string           `json:"description"`
}

// hidden stands for the text of a token that cannot be had any more.
const hidden = "<hidden>"

// An expiry is written with as many digits of a second as it has, in UTC; null
// if there is none.
type expiry time.Time

// MarshalJSON implements json.Marshaler.
func (e expiry) MarshalJSON() ([]byte, error) {
	if time.Time(e).IsZero() {
		return []byte("null"), nil
	}
	return time.Time(e).UTC().MarshalJSON()
}

func encodeToken(t functions.Token, _ touched) tokenAnswer {
	return tokenAnswer{
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
	issued, err := a.Service.CreateToken(r.Context(), scope, functions.CreateToken{
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

// parseExpiry reads an instant. The token says when it expires in whole
// seconds, so a part of a second is cut off: never is the token good for
// longer than its text says.
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
	return at.UTC().Truncate(time.Second), nil
}

func (a *API) getToken(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "token_id")
	if err != nil {
		return nil, err
	}
	t, err := a.Service.Token(r.Context(), scope, id)
	return encodeToken(t, read), err
}

type tokensAnswer struct {
	Tokens     []tokenAnswer `json:"tokens"`
	TotalCount int           `json:"total_count"`
}

func (a *API) listTokens(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	filter := queryFilter(r)
	filter.Name = ""
	found, total, err := a.Service.Tokens(r.Context(), scope, filter, page)
	return tokensAnswer{encodeAll(found, encodeToken), total}, err
}

func (a *API) deleteToken(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "token_id")
	if err != nil {
		return nil, err
	}
	t, err := a.Service.DeleteToken(r.Context(), scope, id)
	body := encodeToken(t, updated)
	body.Token = ""
	return body, err
}
