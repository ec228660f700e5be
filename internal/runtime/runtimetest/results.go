package runtimetest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestResults runs the table of results against a function that decodes the body of its
// event as JSON and returns it.
func TestResults(t *testing.T, in *Instance) {
	tests := map[string]struct {
		result string
		status int
		header http.Header
		body   string
	}{
		"a whole answer": {
			result: `{"statusCode":201,"body":"x","headers":{"A":"b"}}`,
			status: 201, body: "x", header: http.Header{"A": {"b"}},
		},
		"a body that is an object": {result: `{"statusCode":200,"body":{"a":[1,true]}}`, status: 200, body: `{"a":[1,true]}`},
		"a body that is a number":  {result: `{"statusCode":200,"body":3}`, status: 200, body: "3"},
		"a body that is a bool":    {result: `{"statusCode":200,"body":false}`, status: 200, body: "false"},
		"a body that is null":      {result: `{"statusCode":202,"body":null}`, status: 202},
		"no status":                {result: `{"body":"x"}`, status: 200, body: "x"},
		"no body":                  {result: `{"statusCode":404}`, status: 404},
		"headers alone":            {result: `{"headers":{"A":"b"}}`, status: 200, header: http.Header{"A": {"b"}}},
		"a list of values": {
			result: `{"body":"x","headers":{"A":["b","c"],"D":"e"}}`,
			status: 200, body: "x", header: http.Header{"A": {"b", "c"}, "D": {"e"}},
		},
		"headers that are no text": {
			result: `{"body":"x","headers":{"A":1,"B":true,"C":null}}`,
			status: 200, body: "x", header: http.Header{"A": {"1"}, "B": {"true"}, "C": nil},
		},
		"headers of the connection": {
			result: `{"body":"x","headers":{"Content-Length":"99","Transfer-Encoding":"chunked","Connection":"close"}}`,
			status: 200, body: "x", header: http.Header{"Content-Length": {"1"}},
		},
		"other objects":          {result: `{"message":"hi"}`, status: 200, body: `{"message":"hi"}`},
		"lists":                  {result: `[1,"two"]`, status: 200, body: `[1,"two"]`},
		"text":                   {result: `"hello, wörld"`, status: 200, body: "hello, wörld"},
		"no text":                {result: `""`, status: 200},
		"text in quotes":         {result: `"\"quoted\""`, status: 200, body: "quoted"},
		"text that is an answer": {result: `"{\"statusCode\":418,\"body\":\"tea\"}"`, status: 418, body: "tea"},
		"text that is an object": {result: `"{\"a\": 1}"`, status: 200, body: `{"a": 1}`},
		"a number":               {result: "3", status: 200, body: "3"},
		"true":                   {result: "true", status: 200, body: "true"},
		"null":                   {result: "null", status: 200},
		"digits as a status":     {result: `{"statusCode":"503","body":"x"}`, status: 503, body: "x"},
		"base64": {
			result: `{"body":"aGVsbG8=","isBase64Encoded":true}`, status: 200, body: "hello",
		},
		"base64 of a whole answer": {
			result: `{"statusCode":201,"body":"/wA=","isBase64Encoded":true}`, status: 201, body: "\xff\x00",
		},
		"no content":     {result: `{"statusCode":204,"body":"x"}`, status: 204},
		"a redirection":  {result: `{"statusCode":302,"headers":{"Location":"/x"}}`, status: 302, header: http.Header{"Location": {"/x"}}},
		"a large answer": {result: `{"body":"` + strings.Repeat("large ", 1<<19) + `"}`, status: 200, body: strings.Repeat("large ", 1<<19)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := in.Do(t, Call{Body: test.result})
			if got.Status != test.status || got.Body != test.body {
				t.Errorf("got %d %.200q, want %d %.200q", got.Status, got.Body, test.status, test.body)
			}
			for key, want := range test.header {
				if !slices.Equal(got.Header[key], want) {
					t.Errorf("header %s: got %q, want %q", key, got.Header[key], want)
				}
			}
		})
	}
	testMistakes(t, in)
	testConnection(t, in)
}

// testMistakes tests results that are not valid responses.
func testMistakes(t *testing.T, in *Instance) {
	mistakes := map[string]string{
		"a status of letters":    `{"statusCode":"ok","body":"x"}`,
		"a status too low":       `{"statusCode":100,"body":"x"}`,
		"a status too high":      `{"statusCode":1000}`,
		"half a status":          `{"statusCode":200.5}`,
		"a status that is true":  `{"statusCode":true}`,
		"a header with a break":  `{"body":"x","headers":{"A":"b\r\nC: d"}}`,
		"a header with a space":  `{"body":"x","headers":{"A b":"c"}}`,
		"a body that is no code": `{"body":"not base64!","isBase64Encoded":true}`,
	}
	for name, result := range mistakes {
		t.Run(name, func(t *testing.T) {
			got := in.Do(t, Call{Body: result})
			if got.Status != http.StatusInternalServerError ||
				!strings.HasPrefix(got.Body, "An error occured during handler execution: ") || !strings.HasSuffix(got.Body, "\n") {
				t.Errorf("got %d %q, want 500 with the cause", got.Status, got.Body)
			}
		})
	}
}

// testConnection tests that all calls so far used one connection, and that a HEAD request
// does not break it.
func testConnection(t *testing.T, in *Instance) {
	t.Run("one connection", func(t *testing.T) {
		in.Do(t, Call{Method: http.MethodHead, Body: `{"body":"not sent"}`})
		got := in.Do(t, Call{Body: `"after"`})
		if got.Body != "after" {
			t.Errorf("got body %q after a HEAD request, want after", got.Body)
		}
		if limit := got.Header.Get("Keep-Alive"); limit != "" {
			t.Errorf("got Keep-Alive %q, want none", limit)
		}
		if dials := in.Dials(); dials != 1 {
			t.Errorf("got %d connections, want 1", dials)
		}
	})
}
