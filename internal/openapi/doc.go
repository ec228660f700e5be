// Package openapi describes a JSON API over HTTP, from the Go types of its requests and
// responses, as an OpenAPI 3.0 document and as an HTML page. It is independent of any
// particular API, serves nothing, and validates no requests.
package openapi
