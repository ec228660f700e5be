package openapi_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/openapi"
)

type (
	thingAnswer struct {
		Name  string            `json:"name"`
		Parts []partAnswer      `json:"parts"`
		Words map[string]string `json:"words,omitempty"`
		Whole *partAnswer       `json:"whole"`
		inner int
	}
	partAnswer struct {
		Size int `json:"size"`
	}
	makeRequest struct {
		Name string `json:"name"`
		Size *int   `json:"size"`
	}
)

func things() openapi.API {
	return openapi.API{
		Title: "Things", Version: "1", Text: "All <things> & more.", KeyHeader: "X-Key",
		Operations: []openapi.Operation{
			{Pattern: "GET /things/{id}", ID: "Get", Tag: "things", Text: "Get one.", Answer: thingAnswer{inner: 1}, Query: []string{"deep!"}, Fails: []int{404}},
			{Pattern: "POST /things", ID: "Make", Tag: "things", Text: "Make one.", Open: true, Request: makeRequest{}, Required: []string{"name"}, Answer: thingAnswer{}},
		},
		Texts: map[string]string{
			"id": "Which.", "deep": "How deep.", "name": "Its name.", "parts": "Its parts.", "words": "Its words.", "whole": "What it is of.",
			"size": "How large.", "MakeRequest.size": "How large it is to be.",
		},
		Parameters: map[string]openapi.Schema{"id": {Type: "string"}, "deep": {Type: "integer"}},
		Failures: map[int]openapi.Failure{
			404: {Text: "Not there.", Answers: []any{partAnswer{}}},
			500: {Text: "Broken.", Always: true},
		},
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	document, err := openapi.JSON(things())
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, document); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"parameters":  `"parameters":[{"name":"id","in":"path","description":"Which.","required":true,"schema":{"type":"string"}},{"name":"deep","in":"query","description":"How deep.","required":true,"schema":{"type":"integer"}}]`,
		"failures":    `"404":{"description":"Not there.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Part"}}}},"500":{"description":"Broken."}`,
		"the key":     `"security":[{"key":[]}]`,
		"the request": `"MakeRequest":{"type":"object","properties":{"name":{"type":"string","description":"Its name."},"size":{"type":"integer","description":"How large it is to be.","nullable":true}},"required":["name"]}`,
		"a list":      `"parts":{"type":"array","description":"Its parts.","items":{"$ref":"#/components/schemas/Part"}}`,
		"a map":       `"words":{"type":"object","description":"Its words.","additionalProperties":{"type":"string"}}`,
		"an object":   `"whole":{"description":"What it is of.","allOf":[{"$ref":"#/components/schemas/Part"}]}`,
		"what is in":  `"required":["name","parts","whole"]`,
	} {
		if !strings.Contains(compact.String(), want) {
			t.Errorf("%s: %s is not in %s", what, want, &compact)
		}
	}
	if strings.Count(compact.String(), `"security":[`) != 1 || strings.Contains(compact.String(), "inner") {
		t.Errorf("the open operation wants a key, or what is not JSON is described: %s", &compact)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	page, err := openapi.Page(things())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"All &lt;things&gt; &amp; more.", "X-Key", `<a href="#Part">list of Part</a>`, "integer, or null", "Make one. (no key)"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
}

func TestWhatIsNotDescribed(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*openapi.API){
		"a field without a text":          func(a *openapi.API) { delete(a.Texts, "parts") },
		"a parameter without a text":      func(a *openapi.API) { delete(a.Texts, "deep") },
		"a text without a field":          func(a *openapi.API) { a.Texts["colour"] = "Red." },
		"a text of no such object":        func(a *openapi.API) { a.Texts["Other.name"] = "Its name." },
		"a parameter without a schema":    func(a *openapi.API) { delete(a.Parameters, "id") },
		"an operation without a text":     func(a *openapi.API) { a.Operations[0].Text = "" },
		"a required field that is not":    func(a *openapi.API) { a.Operations[1].Required = []string{"colour"} },
		"a type without a name":           func(a *openapi.API) { a.Operations[0].Answer = struct{ A int }{} },
		"a type that cannot be described": func(a *openapi.API) { a.Operations[0].Answer = make(chan int) },
	} {
		a := things()
		change(&a)
		if _, err := openapi.JSON(a); err == nil {
			t.Errorf("%s: it is described", what)
		}
		if _, err := openapi.Page(a); err == nil {
			t.Errorf("%s: there is a page of it", what)
		}
	}
}
