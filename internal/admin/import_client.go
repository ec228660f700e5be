package admin

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// Import imports one namespace.
func (c *Client) Import(ctx context.Context, request ImportRequest) (ImportReport, error) {
	return send[ImportReport](ctx, c, http.MethodPost, "/import", request)
}

// ImportCode stores the code of an imported function.
func (c *Client) ImportCode(ctx context.Context, functionID string, code ImportedArchive) (ImportedCode, error) {
	path := "/import/functions/" + url.PathEscape(functionID) + "/code?" + url.Values{"changed_at": {changedAt(code.ChangedAt)}}.Encode()
	return sendBody[ImportedCode](ctx, c, http.MethodPut, path, io.LimitReader(code.Content, code.Bytes), code.Bytes)
}

// ForeignTokens returns how a namespace accepts the tokens of another issuer.
func (c *Client) ForeignTokens(ctx context.Context, namespaceID string) (ForeignTokens, error) {
	return send[ForeignTokens](ctx, c, http.MethodGet, "/namespaces/"+url.PathEscape(namespaceID)+"/foreign-tokens", nil)
}

// RemoveForeignKey removes the key with a fingerprint, or with its unique beginning.
func (c *Client) RemoveForeignKey(ctx context.Context, namespaceID, fingerprint string) (ForeignTokens, error) {
	return send[ForeignTokens](ctx, c, http.MethodDelete, "/namespaces/"+url.PathEscape(namespaceID)+"/foreign-tokens/keys/"+url.PathEscape(fingerprint), nil)
}

// AcceptForeign sets whether a namespace accepts the tokens of another issuer.
func (c *Client) AcceptForeign(ctx context.Context, namespaceID string, accept bool) (ForeignTokens, error) {
	return send[ForeignTokens](ctx, c, http.MethodPost, "/namespaces/"+url.PathEscape(namespaceID)+"/foreign-tokens", acceptRequest{accept})
}
