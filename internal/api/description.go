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

// The paths of the description: for programs and for readers.
const (
	descriptionPath = "/openapi.json"
	pagePath        = "/openapi"
)

// Description is what this package serves, as a client may know it.
func Description() openapi.API {
	return openapi.API{
		Title:   "Jeton",
		Version: "v1beta1",
		Text: "Scaleway's Functions API as Jeton speaks it, and what clients of functions ask for beside it. " +
			"A field that is not given and one that is null are the same; fields that are not known are passed over.",
		KeyHeader:  "X-Auth-Token",
		Operations: operations,
		Texts:      texts,
		Types: map[reflect.Type]openapi.Schema{
			reflect.TypeFor[stamp]():                {Type: "string", Format: "date-time", Nullable: true},
			reflect.TypeFor[expiry]():               {Type: "string", Format: "date-time", Nullable: true},
			reflect.TypeFor[time.Time]():            {Type: "string", Format: "date-time"},
			reflect.TypeFor[nullable]():             {Type: "string", Nullable: true},
			reflect.TypeFor[duration]():             {Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?s$`},
			reflect.TypeFor[struct{}]():             {Type: "object", Nullable: true},
			reflect.TypeFor[functions.Region]():     {Type: "string", Enum: values(functions.Regions...)},
			reflect.TypeFor[functions.Privacy]():    {Type: "string", Enum: values(functions.Public, functions.Private)},
			reflect.TypeFor[functions.HTTPOption](): {Type: "string", Enum: values(functions.HTTPEnabled, functions.HTTPRedirected)},
			reflect.TypeFor[iam.Action]():           {Type: "string", Enum: values(iam.Read, iam.Write)},
			reflect.TypeFor[functions.Status](): {Type: "string", Enum: values(
				functions.Created, functions.Creating, functions.Pending, functions.Ready, functions.Failed, functions.Deleting,
			)},
		},
		Parameters: map[string]openapi.Schema{
			"region": {Type: "string", Enum: values(functions.Regions...)},
			"id":     {Type: "string", Format: "uuid"}, "name": {Type: "string"}, "access_key": {Type: "string"},
			"page": {Type: "integer", Minimum: new(1), Default: 1}, "page_size": {Type: "integer", Minimum: new(1), Maximum: new(100), Default: 20},
			"order_by":   {Type: "string", Default: "created_at_asc", Pattern: "^(created_at|name|hostname)_(asc|desc)$"},
			"project_id": {Type: "string", Format: "uuid"}, "organization_id": {Type: "string", Format: "uuid"},
			"namespace_id": {Type: "string", Format: "uuid"}, "function_id": {Type: "string", Format: "uuid"},
			"project_ids": {Type: "array", Items: &openapi.Schema{Type: "string"}}, "content_length": {Type: "integer", Minimum: new(1)},
			"expires_at": {Type: "string", Format: "date-time"}, "expiration_date": {Type: "string", Format: "date-time"},
			"since": {Type: "string"}, "follow": {Type: "boolean", Default: false},
			"limit":      {Type: "integer", Minimum: new(1), Maximum: new(mostLines), Default: usualLines},
			keyParameter: {Type: "string"}, expiresParameter: {Type: "integer"}, lengthParameter: {Type: "integer"}, signatureParameter: {Type: "string"},
		},
		Failures: failures,
	}
}

func values[T ~string](all ...T) []any {
	list := make([]any, len(all))
	for i, value := range all {
		list[i] = string(value)
	}
	return list
}

// failures are the answers of writeError.
var failures = map[int]openapi.Failure{
	http.StatusBadRequest:          {Text: "An argument is missing or wrong; in some places the message is all that there is.", Answers: []any{invalidArguments{}, message{}}, Always: true},
	http.StatusUnauthorized:        {Text: "The API key is missing, unknown or expired.", Answers: []any{deniedAuthentication{}}, Always: true},
	http.StatusForbidden:           {Text: "The API key does not permit it, or a quota is used up.", Answers: []any{deniedPermission{}, quotasExceeded{}}, Always: true},
	http.StatusNotFound:            {Text: "It is not there, or not the caller's.", Answers: []any{notFound{}, message{}}},
	http.StatusConflict:            {Text: "The name is taken, or the object is in a state that passes by itself.", Answers: []any{alreadyExists{}, transientState{}, message{}}},
	http.StatusPreconditionFailed:  {Text: "Something else must be done first; the message says what.", Answers: []any{preconditionFailed{}}},
	http.StatusTooManyRequests:     {Text: "Too many wrong API keys or signatures came from this address: wait.", Always: true},
	http.StatusServiceUnavailable:  {Text: "What the server stands on fails, such as its disk; the message says what.", Answers: []any{message{}}, Always: true},
	http.StatusInternalServerError: {Text: "The server's fault; its log says more, under the X-Request-Id of the answer.", Answers: []any{message{}}, Always: true},
}

// described is the description in both forms, made once.
var described = sync.OnceValues(func() (both [2][]byte, err error) {
	if both[0], err = openapi.JSON(Description()); err != nil {
		return both, err
	}
	both[1], err = openapi.Page(Description())
	return both, err
})

// getDescription answers everybody: it says nothing of what is kept here.
func (a *API) getDescription(w http.ResponseWriter, r *http.Request) {
	both, err := described()
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
	// A client that went away has no use for an answer.
	_, _ = w.Write(content)
}
