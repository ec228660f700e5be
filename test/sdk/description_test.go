package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// get sends a GET request without a key, which must succeed.
func get(t *testing.T, url string) (http.Header, []byte) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: got %s, error %v", url, response.Status, err)
	}
	return response.Header, body
}

// description returns the OpenAPI document of a server.
func description(t *testing.T, url string) *openapi3.T {
	t.Helper()
	_, body := get(t, url+"/openapi.json")
	d, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(context.Background()); err != nil {
		t.Fatalf("validate the OpenAPI document: %v", err)
	}
	return d
}

// checkedClient returns an option that checks all requests and answers of the SDK
// against the server's OpenAPI document. Answers must not contain other properties.
func checkedClient(t *testing.T, url string) scw.ClientOption {
	t.Helper()
	d := description(t, url)
	for _, schema := range d.Components.Schemas {
		schema.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: new(false)}
	}
	router, err := legacy.NewRouter(d)
	if err != nil {
		t.Fatal(err)
	}
	return scw.WithHTTPClient(&http.Client{Transport: &checkedTransport{t: t, router: router}})
}

type checkedTransport struct {
	t      *testing.T
	router routers.Router
}

// RoundTrip implements http.RoundTripper.
func (c *checkedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if err := c.check(r, sent, response, got); err != nil {
		c.t.Errorf("%s %s does not match the OpenAPI document: %v", r.Method, r.URL.Path, err)
	}
	response.Body = io.NopCloser(bytes.NewReader(got))
	return response, nil
}

// check checks an answer, and the request if it succeeded, against the OpenAPI document.
// Refused requests are not checked, because tests send invalid ones on purpose.
func (c *checkedTransport) check(r *http.Request, sent []byte, response *http.Response, got []byte) error {
	// The body has been read already, and the document describes paths only.
	request, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header = r.Header
	route, path, err := c.router.FindRoute(request)
	if err != nil {
		return err
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if response.StatusCode == http.StatusOK {
		err = openapi3filter.ValidateRequest(r.Context(), input)
	}
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Options: input.Options,
	}
	return errors.Join(err, openapi3filter.ValidateResponse(r.Context(), output.SetBodyBytes(got)))
}

// With a valid key, only an unknown path is answered with "no such endpoint".
func TestOpenAPI_AllPathsAreServed(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	client := &http.Client{Timeout: patience}
	served := 0
	for path, item := range description(t, s.APIURL).Paths.Map() {
		for method := range item.Operations() {
			address := strings.NewReplacer("{region}", "fr-par", "{id}", unknownID, "{access_key}", "x", "{name}", "x").Replace(path)
			request, err := http.NewRequest(method, s.APIURL+address, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Auth-Token", s.SecretKey)
			response, err := client.Do(request)
			if err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			// A stream of events does not end by itself.
			var body []byte
			if response.Header.Get("Content-Type") != "text/event-stream" {
				body, err = io.ReadAll(response.Body)
			}
			response.Body.Close()
			if err != nil || strings.Contains(string(body), "no such endpoint") {
				t.Errorf("%s %s: got %s, error %v", method, path, body, err)
			}
			served++
		}
	}
	if served < 32+3+3+2+3 {
		t.Errorf("got %d operations in the document", served)
	}
}

// The page needs no key and no other resource, and its policy allows its own style.
func TestOpenAPI_PageIsSelfContained(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	header, page := get(t, s.APIURL+"/openapi")
	equal(t, "type", header.Get("Content-Type"), "text/html; charset=utf-8")
	if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("got policy %s", policy)
	}
	for _, want := range []string{"CreateToken", "/functions/{id}/upload-url", `<a href="#Namespace">`, "argon2id"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	for _, foreign := range []string{"<script", "src=", "http://", "https://"} {
		if strings.Contains(string(page), foreign) {
			t.Errorf("the page contains %q", foreign)
		}
	}
}

// The check of all other tests finds missing properties, additional ones, and wrong
// types.
func TestOpenAPI_CheckFindsDifferences(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	n := ask[*function.Namespace](s, &function.CreateNamespaceRequest{Name: "check"})
	d := description(t, s.APIURL)
	d.Components.Schemas["Namespace"].Value.AdditionalProperties = openapi3.AdditionalProperties{Has: new(false)}
	router, err := legacy.NewRouter(d)
	if err != nil {
		t.Fatal(err)
	}
	address := s.APIURL + "/functions/v1beta1/regions/fr-par/namespaces/" + n.ID
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", s.SecretKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	c := &checkedTransport{t: t, router: router}
	for what, test := range map[string]struct {
		old, changed string
		found        bool
	}{
		"unchanged":              {"", "", false},
		"a missing property":     {`"tags":[],`, "", true},
		"an additional property": {`"tags":[]`, `"tags":[],"colour":"red"`, true},
		"another type":           {`"tags":[]`, `"tags":""`, true},
		"an unknown region":      {`"region":"fr-par"`, `"region":"it-mil"`, true},
	} {
		if err := c.check(request, nil, response, bytes.Replace(body, []byte(test.old), []byte(test.changed), 1)); (err != nil) != test.found {
			t.Errorf("%s: got error %v, want one: %t", what, err, test.found)
		}
	}
}
