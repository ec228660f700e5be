package api

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
)

// Patterns returns the patterns of all endpoints that require an API key.
func Patterns() []string { return slices.Sorted(maps.Keys((&API{}).endpoints())) }

// QueryPage returns the page that a request's query asks for.
var QueryPage = queryPage

// DecodeAll decodes a body as each type of request, and returns the errors.
func DecodeAll(body []byte) (errs []error) {
	for _, request := range []any{
		new(createNamespaceRequest), new(updateNamespaceRequest), new(createFunctionRequest), new(updateFunctionRequest),
		new(createTokenRequest), new(createCronRequest), new(updateCronRequest), new(createDomainRequest),
		new(createTriggerRequest), new(updateTriggerRequest), new(createProjectRequest), new(updateProjectRequest),
	} {
		errs = append(errs, decode(httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)), request))
	}
	return errs
}
