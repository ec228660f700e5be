package api

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
)

// Patterns are those of all endpoints that want a key.
func Patterns() []string { return slices.Sorted(maps.Keys((&API{}).endpoints())) }

// QueryPage is the page that a request asks for.
var QueryPage = queryPage

// Decoded reads a body as each of the requests that there are, and returns what is
// wrong with it for each.
func Decoded(body []byte) (errs []error) {
	for _, request := range []any{
		new(createNamespaceRequest), new(updateNamespaceRequest), new(createFunctionRequest), new(updateFunctionRequest),
		new(createTokenRequest), new(createCronRequest), new(updateCronRequest), new(createDomainRequest),
		new(createTriggerRequest), new(updateTriggerRequest),
	} {
		errs = append(errs, decode(httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)), request))
	}
	return errs
}
