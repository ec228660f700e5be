package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// tokenRow is a token in a list over all scopes, without its value.
type tokenRow struct {
	ID            string           `json:"id"`
	Description   string           `json:"description"`
	Status        functions.Status `json:"status"`
	NamespaceID   string           `json:"namespace_id"`
	NamespaceName string           `json:"namespace_name"`
	FunctionID    string           `json:"function_id"`
	FunctionName  string           `json:"function_name"`
	ProjectID     string           `json:"project_id"`
	CreatedAt     time.Time        `json:"created_at"`
	ExpiresAt     expiry           `json:"expires_at"`
	LastUsedAt    expiry           `json:"last_used_at"`
	// Issuer and AdoptedAt are set for imported tokens only.
	Issuer    string `json:"issuer"`
	AdoptedAt expiry `json:"adopted_at"`
}

type tokenRows struct {
	Tokens []tokenRow `json:"tokens"`
	// TotalCount is -1 if the tokens were searched, since counting would read them all.
	TotalCount int  `json:"total_count"`
	More       bool `json:"more"`
}

// expiresSoon is the time before its expiry in which a token expires soon.
const expiresSoon = 14 * 24 * time.Hour

// searchTokens returns a page of the tokens of all namespaces and functions, newest first.
func (a *API) searchTokens(r *http.Request, scope functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	page.OrderBy = "created_at_desc"
	filter := functions.Filter{
		NamespaceID: r.URL.Query().Get("namespace_id"), FunctionID: r.URL.Query().Get("function_id"), Search: truncate(r.URL.Query().Get("search"), 200),
	}
	if r.URL.Query().Get("expiring") == "true" {
		now := a.config.Now()
		filter.ExpiresAfter, filter.ExpiresBefore = now, now.Add(expiresSoon)
	}
	found, total, more, err := a.config.Service.SearchTokens(r.Context(), scope, filter, page)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, t := range found {
		ids[i] = t.ID
	}
	used, err := in.Usage.Tokens(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	rows := make([]tokenRow, len(found))
	for i, t := range found {
		rows[i] = tokenRow{
			ID: t.ID, Description: t.Description, Status: t.Status, NamespaceID: t.NamespaceID, FunctionID: t.FunctionID, ProjectID: t.ProjectID,
			CreatedAt: t.CreatedAt.UTC(), ExpiresAt: expiry(t.ExpiresAt), LastUsedAt: expiry(used[t.ID]),
			Issuer: t.Issuer, AdoptedAt: expiry(t.AdoptedAt),
		}
		if f, ok := in.View.Function(t.FunctionID); ok {
			rows[i].FunctionName, rows[i].NamespaceName = f.Name, in.View.NamespaceName(f.NamespaceID)
		} else {
			rows[i].NamespaceName = in.View.NamespaceName(t.NamespaceID)
		}
	}
	return tokenRows{rows, total, more}, nil
}

type revocationResponse struct {
	TokenID       string    `json:"token_id"`
	RevokedAt     time.Time `json:"revoked_at"`
	Seconds       float64   `json:"revocation_seconds"`
	Refused       int64     `json:"refused_calls"`
	LastRefusedAt expiry    `json:"last_refused_at"`
}

// getRevocation returns what the revocation of a token did. This server keeps the latest
// revocations since its start.
func (a *API) getRevocation(r *http.Request, scope functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	id, err := pathID(r, "token_id")
	if err != nil {
		return nil, err
	}
	revoked, ok := in.View.Revocation(id)
	if !ok || !scope.Covers(revoked.ProjectID) {
		return nil, functions.NotFoundError("Revocation of token", id)
	}
	calls, last := in.Refused(r.Context(), id)
	return revocationResponse{
		TokenID: id, RevokedAt: revoked.At.UTC(), Seconds: revoked.Took.Seconds(), Refused: calls, LastRefusedAt: expiry(last),
	}, nil
}
