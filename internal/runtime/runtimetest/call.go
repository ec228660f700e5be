package runtimetest

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A Call is a request to an instance.
type Call struct {
	Method string
	// Target has the path and the query.
	Target string
	Header http.Header
	Body   string
	// Chunked sends the body without its length.
	Chunked bool
}

// An Answer is the response to a Call.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do makes a call and returns the response.
func (in *Instance) Do(tb testing.TB, call Call) Answer {
	tb.Helper()
	if call.Method == "" {
		call.Method = http.MethodPost
	}
	if call.Target == "" {
		call.Target = "/"
	}
	var body io.Reader = strings.NewReader(call.Body)
	if call.Chunked {
		body = io.MultiReader(body)
	}
	request, err := http.NewRequestWithContext(tb.Context(), call.Method, "http://instance"+call.Target, body)
	if err != nil {
		tb.Fatal(err)
	}
	if call.Header != nil {
		request.Header = call.Header
	}
	response, err := in.Client.Do(request)
	if err != nil {
		tb.Fatalf("call: %v; output of the instance:\n%s", err, in.Output())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatalf("read response: %v", err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(text)}
}
