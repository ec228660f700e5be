// Package openapi describes an HTTP API that speaks JSON, from the Go types of its
// requests and answers, as an OpenAPI document and as a page to read. It knows no
// API by itself, serves nothing, and checks no request.
package openapi
