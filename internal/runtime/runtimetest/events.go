package runtimetest

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// An eventCase is a call and the expected content of its event.
type eventCase struct {
	call Call
	// want has keys of the event. The value absent means that the key must not exist.
	want map[string]any
}

// TestEvents runs the table of events against a function that returns
// {"event": ..., "context": ...} as JSON in the body.
func TestEvents(t *testing.T, in *Instance) {
	for name, test := range eventCases() {
		t.Run(name, func(t *testing.T) {
			event := echo(t, in, test.call)["event"]
			for key, want := range test.want {
				got, ok := event[key]
				if !ok {
					got = absent
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("event[%q] = %.200v, want %.200v", key, got, want)
				}
			}
		})
	}
	t.Run("headers", func(t *testing.T) { testHeaders(t, in) })
	t.Run("context", func(t *testing.T) { testContext(t, in) })
}

func eventCases() map[string]eventCase {
	requestContext := func(method string) map[string]any {
		return map[string]any{
			"accountId": "", "resourceId": "", "stage": "", "requestId": "", "resourcePath": "",
			"authorizer": nil, "httpMethod": method, "apiId": "",
		}
	}
	return map[string]eventCase{
		"fixed keys": {
			call: Call{Method: http.MethodPut, Target: "/"},
			want: map[string]any{
				"resource": "", "httpMethod": "PUT", "method": "PUT", "multiValueHeaders": nil,
				"multiValueQueryStringParameters": nil, "pathParameters": nil, "stageVariables": map[string]any{},
				"requestContext": requestContext("PUT"), "queryStringParameters": map[string]any{}, "path": "/",
			},
		},
		"path is decoded": {
			call: Call{Target: "/a%20b/c%C3%A9?x=1"},
			want: map[string]any{"path": "/a b/cé"},
		},
		"last value of a repeated parameter": {
			call: Call{Target: "/?a=1&b=x%26y&a=2&c=&d=%C3%A9+e"},
			want: map[string]any{"queryStringParameters": map[string]any{"a": "2", "b": "x&y", "c": "", "d": "é e"}},
		},
		"text body": {
			call: Call{Body: "hello, wörld"},
			want: map[string]any{"body": "hello, wörld", "isBase64Encoded": absent},
		},
		"empty body counts as base64": {
			call: Call{Method: http.MethodGet},
			want: map[string]any{"body": "", "isBase64Encoded": true},
		},
		"decodable body counts as base64": {
			call: Call{Body: "test"},
			want: map[string]any{"body": "test", "isBase64Encoded": true},
		},
		"padded base64": {
			call: Call{Body: "aGVsbG8=\n"},
			want: map[string]any{"body": "aGVsbG8=\n", "isBase64Encoded": true},
		},
		"badly padded base64": {
			call: Call{Body: "abc"},
			want: map[string]any{"body": "abc", "isBase64Encoded": absent},
		},
		"invalid UTF-8 is replaced": {
			call: Call{Body: "a\xffb"},
			want: map[string]any{"body": "a\uFFFDb"},
		},
		"body without a length": {
			call: Call{Body: strings.Repeat("chunk ", 1000), Chunked: true},
			want: map[string]any{"body": strings.Repeat("chunk ", 1000)},
		},
		"body of 6 MiB": {
			call: Call{Body: strings.Repeat("six byte", 6<<20/8)},
			want: map[string]any{"body": strings.Repeat("six byte", 6<<20/8), "isBase64Encoded": absent},
		},
	}
}

// absent marks a key that an event must not have.
const absent = "(no such key)"

func echo(t *testing.T, in *Instance, call Call) map[string]map[string]any {
	t.Helper()
	answer := in.Do(t, call)
	var echoed map[string]map[string]any
	if err := json.Unmarshal([]byte(answer.Body), &echoed); err != nil {
		t.Fatalf("got response %d %.300q: %v", answer.Status, answer.Body, err)
	}
	return echoed
}

func testHeaders(t *testing.T, in *Instance) {
	headers, ok := echo(t, in, Call{Header: http.Header{
		"X-One":          {"1"},
		"x-lower-case":   {"kept in canonical form"},
		"X-Many":         {"a", "b"},
		"X-Unicode":      {"é"},
		"X-Forwarded-Id": {"x"},
		"__proto__":      {"harmless"},
	}})["event"]["headers"].(map[string]any)
	if !ok {
		t.Fatal("got no headers in the event")
	}
	want := map[string]string{
		"X-One": "1", "X-Lower-Case": "kept in canonical form", "X-Many": "a,b", "X-Forwarded-Id": "x", "Host": "instance",
	}
	for name, value := range want {
		if headers[name] != value {
			t.Errorf("header %s: got %v, want %q", name, headers[name], value)
		}
	}
}

func testContext(t *testing.T, in *Instance) {
	want := map[string]any{"memoryLimitInMb": 256.0, "functionName": "hello", "functionVersion": "7"}
	if got := echo(t, in, Call{})["context"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got context %v, want %v", got, want)
	}
}

// ContextEnv returns the environment that the instance for TestEvents requires.
func ContextEnv() []string {
	return []string{"SCW_APPLICATION_MEMORY=256", "SCW_APPLICATION_NAME=hello", "SCW_APPLICATION_VERSION=7"}
}
