package admin

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Import imports one namespace.
func (c *Client) Import(ctx context.Context, request ImportRequest) (ImportReport, error) {
	return send[ImportReport](ctx, c, http.MethodPost, "/import", request)
}

// ImportCode stores the code of an imported function. changed is the time of the last change
// at the source.
func (c *Client) ImportCode(ctx context.Context, functionID string, changed time.Time, code io.Reader) (ImportedCode, error) {
	query := url.Values{"changed_at": {changedAt(changed)}}
	return sendBody[ImportedCode](ctx, c, http.MethodPut, "/import/functions/"+url.PathEscape(functionID)+"/code?"+query.Encode(), code)
}

// AcceptForeign sets whether a namespace accepts the tokens of another issuer.
func (c *Client) AcceptForeign(ctx context.Context, namespaceID string, accept bool) (ForeignTokens, error) {
	return send[ForeignTokens](ctx, c, http.MethodPost, "/namespaces/"+url.PathEscape(namespaceID)+"/foreign-tokens", acceptRequest{accept})
}
