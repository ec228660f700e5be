package openapi_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/openapi"
)

type (
	thingResponse struct {
		Name  string            `json:"name"`
		Parts []partResponse    `json:"parts"`
		Words map[string]string `json:"words,omitempty"`
		Whole *partResponse     `json:"whole"`
		inner int
	}
	partResponse struct {
		Size int `json:"size"`
	}
	createRequest struct {
		Name string `json:"name"`
		Size *int   `json:"size"`
	}
)

func things() openapi.API {
	return openapi.API{
		Title: "Things", Version: "1", Description: "All <things> & more.", KeyHeader: "X-Key",
		Operations: []openapi.Operation{
			{Pattern: "GET /things/{id}", ID: "Get", Tag: "things", Summary: "Get a thing.", Response: thingResponse{inner: 1}, Query: []string{"deep!"}, Errors: []int{404}},
			{Pattern: "POST /things", ID: "Create", Tag: "things", Summary: "Create a thing.", Public: true, Request: createRequest{}, Required: []string{"name"}, Response: thingResponse{}},
		},
		Descriptions: map[string]string{
			"id": "The ID.", "deep": "The depth.", "name": "The name.", "parts": "The parts.", "words": "The words.", "whole": "The whole.",
			"size": "The size.", "CreateRequest.size": "The initial size.",
		},
		Parameters: map[string]openapi.Schema{"id": {Type: "string"}, "deep": {Type: "integer"}},
		Errors: map[int]openapi.ErrorResponse{
			404: {Description: "Not found.", Bodies: []any{partResponse{}}},
			500: {Description: "Internal error.", Common: true},
		},
	}
}

func TestJSON_DescribesTypes(t *testing.T) {
	t.Parallel()
	document, err := openapi.JSON(things())
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"parameters":      `"parameters":[{"name":"id","in":"path","description":"The ID.","required":true,"schema":{"type":"string"}},{"name":"deep","in":"query","description":"The depth.","required":true,"schema":{"type":"integer"}}]`,
		"errors":          `"404":{"description":"Not found.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Part"}}}},"500":{"description":"Internal error."}`,
		"API key":         `"security":[{"key":[]}]`,
		"request body":    `"CreateRequest":{"type":"object","properties":{"name":{"type":"string","description":"The name."},"size":{"type":"integer","description":"The initial size.","nullable":true}},"required":["name"]}`,
		"array":           `"parts":{"type":"array","description":"The parts.","items":{"$ref":"#/components/schemas/Part"}}`,
		"map":             `"words":{"type":"object","description":"The words.","additionalProperties":{"type":"string"}}`,
		"reference":       `"whole":{"description":"The whole.","allOf":[{"$ref":"#/components/schemas/Part"}]}`,
		"required fields": `"required":["name","parts","whole"]`,
	} {
		if !strings.Contains(compact.String(), want) {
			t.Errorf("%s: got %s, want it to contain %s", name, &compact, want)
		}
	}
	if n := strings.Count(compact.String(), `"security":[`); n != 1 {
		t.Errorf("got %d operations that require a key, want 1: %s", n, &compact)
	}
	if strings.Contains(compact.String(), "inner") {
		t.Errorf("got a description of an unexported field: %s", &compact)
	}
}

func TestPage_EscapesAndLinks(t *testing.T) {
	t.Parallel()
	page, err := openapi.Page(things())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"All &lt;things&gt; &amp; more.", "X-Key", `<a href="#Part">list of Part</a>`, "integer, or null", "Create a thing. (no key)"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("got %s, want it to contain %q", page, want)
		}
	}
}

func TestJSON_RefusesIncompleteDescriptions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*openapi.API){
		"field without a description":      func(a *openapi.API) { delete(a.Descriptions, "parts") },
		"parameter without a description":  func(a *openapi.API) { delete(a.Descriptions, "deep") },
		"description without a field":      func(a *openapi.API) { a.Descriptions["colour"] = "Red." },
		"description of an unknown schema": func(a *openapi.API) { a.Descriptions["Other.name"] = "The name." },
		"parameter without a schema":       func(a *openapi.API) { delete(a.Parameters, "id") },
		"operation without a summary":      func(a *openapi.API) { a.Operations[0].Summary = "" },
		"required field does not exist":    func(a *openapi.API) { a.Operations[1].Required = []string{"colour"} },
		"type without a name":              func(a *openapi.API) { a.Operations[0].Response = struct{ A int }{} },
		"unsupported type":                 func(a *openapi.API) { a.Operations[0].Response = make(chan int) },
	} {
		a := things()
		change(&a)
		if _, err := openapi.JSON(a); err == nil {
			t.Errorf("%s: JSON: got no error", name)
		}
		if _, err := openapi.Page(a); err == nil {
			t.Errorf("%s: Page: got no error", name)
		}
	}
}
