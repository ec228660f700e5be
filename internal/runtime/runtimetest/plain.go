package runtimetest

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestPlain runs the table of calls against a function that handles HTTP requests, as
// functions in Go and Rust do. It must handle
//
//	/echo with 201, the request's method as X-Method, its X-Many and its body,
//	/environment with the value of VARIABLE,
//	/panic by a panic with the text "it failed",
//	/stream with "first\n" at once, and then the request's body while it arrives,
//	/slow as TestTermination requires.
func TestPlain(t *testing.T, built Built) {
	in := Start(t, built, "VARIABLE=a=b é")
	bytes := strings.Repeat("\xff\x00six", 6<<20/5)
	many := slices.Repeat([]string{"x"}, 500)
	tests := map[string]struct {
		call Call
		want Answer
	}{
		"bytes and repeated headers": {
			call: Call{Method: http.MethodPut, Target: "/echo?x=1", Body: "a\xffb", Header: http.Header{"X-Many": {"a", "b"}}},
			want: Answer{Status: http.StatusCreated, Body: "a\xffb", Header: http.Header{"X-Many": {"a", "b"}, "X-Method": {"PUT"}}},
		},
		"hundreds of headers": {
			call: Call{Target: "/echo", Header: http.Header{"X-Many": many}},
			want: Answer{Status: http.StatusCreated, Header: http.Header{"X-Many": many}},
		},
		"6 MiB":           {call: Call{Target: "/echo", Body: bytes}, want: Answer{Status: http.StatusCreated, Body: bytes}},
		"6 MiB in chunks": {call: Call{Target: "/echo", Body: bytes, Chunked: true}, want: Answer{Status: http.StatusCreated, Body: bytes}},
		"environment":     {call: Call{Target: "/environment"}, want: Answer{Status: http.StatusOK, Body: "a=b é"}},
		"panic": {
			call: Call{Target: "/panic"},
			want: Answer{Status: http.StatusInternalServerError, Body: "An error occured during handler execution: it failed\n"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := in.Do(t, test.call)
			if got.Status != test.want.Status || got.Body != test.want.Body {
				t.Errorf("got %d %.200q, want %d %.200q", got.Status, got.Body, test.want.Status, test.want.Body)
			}
			for key, want := range test.want.Header {
				if !slices.Equal(got.Header[key], want) {
					t.Errorf("header %s: got %.200q, want %.200q", key, got.Header[key], want)
				}
			}
		})
	}
	if dials := in.Dials(); dials != 1 {
		t.Errorf("got %d connections, want 1", dials)
	}
	t.Run("streaming", func(t *testing.T) { testStreaming(t, in) })
	t.Run("termination", func(t *testing.T) { testTermination(t, Mode{}, built, "/slow") })
}

// testStreaming reads the first part of a response before it has sent the whole body of
// the request.
func testStreaming(t *testing.T, in *Instance) {
	body, rest := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://instance/stream", body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := in.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer := bufio.NewReader(response.Body)
	if line, err := answer.ReadString('\n'); err != nil || line != "first\n" {
		t.Fatalf("got %q, %v as the start of the response, want first", line, err)
	}
	if _, err := io.WriteString(rest, "second"); err != nil {
		t.Fatal(err)
	}
	_ = rest.Close()
	if text, err := io.ReadAll(answer); err != nil || string(text) != "second" {
		t.Errorf("got %q, %v as the rest of the response, want second", text, err)
	}
}
