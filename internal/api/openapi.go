package api

import (
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/openapi"
)

// The paths of the OpenAPI document and of its HTML page.
const (
	documentPath = "/openapi.json"
	pagePath     = "/openapi"
)

// Description returns the description of the API that this package serves.
func Description() openapi.API {
	return openapi.API{
		Title:   "Jeton",
		Version: "v1beta1",
		Description: "Scaleway's Functions API as implemented by Jeton, and the parts of Scaleway's IAM and account APIs that its clients use. " +
			"A field that is null is treated as absent; unknown fields are ignored.",
		KeyHeader:    "X-Auth-Token",
		Operations:   operations,
		Descriptions: merged(descriptions, insightDescriptions),
		Types: map[reflect.Type]openapi.Schema{
			reflect.TypeFor[stamp]():                {Type: "string", Format: "date-time", Nullable: true},
			reflect.TypeFor[expiry]():               {Type: "string", Format: "date-time", Nullable: true},
			reflect.TypeFor[time.Time]():            {Type: "string", Format: "date-time"},
			reflect.TypeFor[nullable]():             {Type: "string", Nullable: true},
			reflect.TypeFor[duration]():             {Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?s$`},
			reflect.TypeFor[struct{}]():             {Type: "object", Nullable: true},
			reflect.TypeFor[functions.Region]():     {Type: "string", Enum: enum(functions.Regions...)},
			reflect.TypeFor[functions.Privacy]():    {Type: "string", Enum: enum(functions.Public, functions.Private)},
			reflect.TypeFor[functions.HTTPOption](): {Type: "string", Enum: enum(functions.HTTPEnabled, functions.HTTPRedirected)},
			reflect.TypeFor[iam.Action]():           {Type: "string", Enum: enum(iam.Read, iam.Write, iam.Call)},
			reflect.TypeFor[functions.Status](): {Type: "string", Enum: enum(
				functions.Created, functions.Creating, functions.Pending, functions.Ready, functions.Failed, functions.Deleting,
			)},
		},
		Parameters: merged(insightParameters, map[string]openapi.Schema{
			"region": {Type: "string", Enum: enum(functions.Regions...)},
			"id":     {Type: "string", Format: "uuid"}, "name": {Type: "string"}, "access_key": {Type: "string"},
			"page": {Type: "integer", Minimum: new(1), Default: 1}, "page_size": {Type: "integer", Minimum: new(1), Maximum: new(100), Default: 20},
			"order_by":   {Type: "string", Default: "created_at_asc", Pattern: "^(created_at|name|hostname|namespace|status|runtime|updated)_(asc|desc)$"},
			"project_id": {Type: "string", Format: "uuid"}, "organization_id": {Type: "string", Format: "uuid"},
			"namespace_id": {Type: "string", Format: "uuid"}, "function_id": {Type: "string", Format: "uuid"},
			"project_ids": {Type: "array", Items: &openapi.Schema{Type: "string"}}, "content_length": {Type: "integer", Minimum: new(1)},
			"expires_at": {Type: "string", Format: "date-time"}, "expiration_date": {Type: "string", Format: "date-time"},
			"since": {Type: "string"}, "follow": {Type: "boolean", Default: false}, "calls": {Type: "boolean", Default: false},
			"limit":      {Type: "integer", Minimum: new(1), Maximum: new(maxLines), Default: defaultLines},
			keyParameter: {Type: "string"}, expiresParameter: {Type: "integer"}, lengthParameter: {Type: "integer"}, signatureParameter: {Type: "string"},
		}),
		Errors: errorResponses,
	}
}

func enum[T ~string](values ...T) []any {
	list := make([]any, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

// errorResponses describes the responses of writeError.
var errorResponses = map[int]openapi.ErrorResponse{
	http.StatusBadRequest: {
		Description: "An argument is missing or invalid. Some errors have only a message.",
		Bodies:      []any{invalidArguments{}, message{}}, Common: true,
	},
	http.StatusUnauthorized: {
		Description: "The API key is missing, unknown or expired.",
		Bodies:      []any{deniedAuthentication{}}, Common: true,
	},
	http.StatusForbidden: {
		Description: "The API key lacks the permission, or a quota is exceeded.",
		Bodies:      []any{deniedPermission{}, quotasExceeded{}}, Common: true,
	},
	http.StatusNotFound: {
		Description: "The object does not exist, or belongs to a project that the API key does not cover.",
		Bodies:      []any{notFound{}, message{}},
	},
	http.StatusConflict: {
		Description: "The name is in use, or the object is in a transient state.",
		Bodies:      []any{alreadyExists{}, transientState{}, message{}},
	},
	http.StatusPreconditionFailed: {
		Description: "A precondition is not met; the help message names it.",
		Bodies:      []any{preconditionFailed{}},
	},
	http.StatusTooManyRequests: {
		Description: "This address has sent too many wrong API keys or signatures. Retry later.", Common: true,
	},
	http.StatusServiceUnavailable: {
		Description: "The server cannot process the request at the moment, for example because its disk is full; the message gives the cause.",
		Bodies:      []any{message{}}, Common: true,
	},
	http.StatusInternalServerError: {
		Description: "Internal error. The server's log has the cause under the X-Request-Id of the response.",
		Bodies:      []any{message{}}, Common: true,
	},
}

// documents returns the OpenAPI document and its HTML page.
var documents = sync.OnceValues(func() (both [2][]byte, err error) {
	if both[0], err = openapi.JSON(Description()); err != nil {
		return both, err
	}
	both[1], err = openapi.Page(Description())
	return both, err
})

// getDescription serves the OpenAPI document or its page without authentication.
func (a *API) getDescription(w http.ResponseWriter, r *http.Request) {
	both, err := documents()
	if err != nil {
		a.writeError(w, r, err)
		return
	}
	content := both[0]
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if r.URL.Path == pagePath {
		content = both[1]
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", openapi.PagePolicy())
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}
