package openapi

import (
	"net/http"
	"reflect"
	"strings"
)

// An API is the input of JSON and Page.
type API struct {
	Title, Version, Description string
	// KeyHeader is the header with the API key, required by all operations that are not
	// Public.
	KeyHeader  string
	Operations []Operation
	// Descriptions describe fields and parameters by their JSON name, or by schema name,
	// dot and JSON name where fields with the same name differ ("parameter" is the schema
	// of parameters). Every field needs a description, and every description a field.
	Descriptions map[string]string
	// Types has the schemas of types with their own JSON encoding, and of enumerations.
	Types map[reflect.Type]Schema
	// Parameters has the schemas of path and query parameters by name.
	Parameters map[string]Schema
	// Errors has the error responses by status.
	Errors map[int]ErrorResponse
}

// An Operation is one method of one path.
type Operation struct {
	// Pattern is the method, a space, and the path with parameters in braces.
	Pattern string
	// ID is the operationId, from which clients are generated; Tag is its group.
	ID, Tag string
	Summary string
	// Public operations require no API key.
	Public bool
	// Request is a value of the type of the JSON body, or nil if there is none. Required
	// has the names of its required fields.
	Request  any
	Required []string
	// RequestType is the media type of a body that is not JSON.
	RequestType string
	// Response is a value of the type of the JSON body on success, or nil if there is
	// none. ResponseType is the media type of a body that is not JSON.
	Response     any
	ResponseType string
	// NoContent reports whether success is 204 without a body.
	NoContent bool
	// Query has the names of the query parameters; a name that ends with ! is required.
	Query []string
	// Errors has the statuses of the operation's errors that are not Common.
	Errors []int
}

func (o Operation) method() string { method, _, _ := strings.Cut(o.Pattern, " "); return method }
func (o Operation) path() string   { _, path, _ := strings.Cut(o.Pattern, " "); return path }

func (o Operation) successStatus() int {
	if o.NoContent {
		return http.StatusNoContent
	}
	return http.StatusOK
}

// An ErrorResponse is a response with an error status.
type ErrorResponse struct {
	Description string
	// Bodies has values of the possible types of the JSON body; none if there is no body.
	Bodies []any
	// Common reports whether all operations with a key can return it.
	Common bool
}
