package e2e_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/test/await"
)

// talker says its path, and its secret.
func talker(w *world) *function.Function {
	w.t.Helper()
	request := python(w.namespace("logs").ID, "talker")
	request.SecretEnvironmentVariables = []*function.Secret{{Key: "S", Value: pointer("a well kept secret")}}
	return w.function(request, map[string]string{
		"handler.py": "import os, sys\ndef handle(event, context):\n" +
			"    print('out ' + event['path'])\n    print('err ' + os.environ['S'], file=sys.stderr)\n",
	})
}

// ask calls a function with a request ID of one's own.
func (w *world) ask(f *function.Function, path, requestID string) {
	w.t.Helper()
	status, header, body := w.send(http.MethodGet, w.GatewayURL+path, nil, http.Header{"Host": {f.DomainName}, "X-Request-Id": {requestID}})
	if status != http.StatusOK || header.Get("X-Request-Id") != requestID {
		w.t.Fatalf("the call is answered with %d %q for %q", status, body, header.Get("X-Request-Id"))
	}
}

func (w *world) logs(f *function.Function, query string) []api.LogLine {
	w.t.Helper()
	status, _, body := w.api(http.MethodGet, "/functions/"+f.ID+"/logs"+query, "")
	var answer struct{ Logs []api.LogLine }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		w.t.Fatalf("logs: %d %s", status, body)
	}
	return answer.Logs
}

// TestLogs finds what instances have printed, with the call that they served then,
// and without their secrets.
func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := talker(w)
	// One call's lines are read before the next is made: that they could be taken
	// for the next one's is documented.
	for i, path := range []string{"/one", "/two"} {
		w.ask(f, path, "request"+path[1:])
		await.True(t, "the call has its lines", func() bool { return len(w.logs(f, "")) == 2*(i+1) })
	}
	lines := w.logs(f, "?since=10m")
	for i, want := range []struct{ stream, message, request string }{
		{output.Stdout, "out /one", "requestone"},
		{output.Stderr, "err [redacted]", "requestone"},
		{output.Stdout, "out /two", "requesttwo"},
		{output.Stderr, "err [redacted]", "requesttwo"},
	} {
		// The two streams of one call are read side by side.
		got := lines[i]
		if got.Stream != want.stream {
			got = lines[i^1]
		}
		if got.Message != want.message || got.RequestID != want.request || got.Stream != want.stream ||
			got.InstanceID == "" || got.RevisionID == "" || time.Since(got.Timestamp) > time.Hour {
			t.Errorf("line %d is %+v, want %+v", i, got, want)
		}
	}
	if got := w.logs(f, "?limit=1"); len(got) != 1 || got[0] != lines[3] {
		t.Errorf("of the newest line there is %+v", got)
	}
	if got := w.logs(f, "?since=2099-01-01T00:00:00Z"); len(got) != 0 {
		t.Errorf("of the future there is %+v", got)
	}
	for _, query := range []string{"since=yesterday", "limit=0", "limit=10001", "limit=x"} {
		if status, _, body := w.api(http.MethodGet, "/functions/"+f.ID+"/logs?"+query, ""); status != http.StatusBadRequest {
			t.Errorf("%s is answered with %d %s", query, status, body)
		}
	}
	w.restart()
	if got := w.logs(f, ""); len(got) != 4 {
		t.Errorf("after a restart there are %+v", got)
	}
	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
	await.True(t, "the logs are gone", func() bool {
		found, err := output.Find(filepath.Join(w.DataDir, output.Dir), f.ID)
		return err == nil && found == nil
	})
}

// follow begins to read a function's lines as they come.
func (w *world) follow(f *function.Function, secretKey string) *bufio.Scanner {
	w.t.Helper()
	url := w.APIURL + "/functions/v1beta1/regions/fr-par/functions/" + f.ID + "/logs?follow=true"
	request := must[*http.Request](w.t)(http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil))
	request.Header.Set("X-Auth-Token", secretKey)
	response := must[*http.Response](w.t)(http.DefaultClient.Do(request))
	w.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/x-ndjson" {
		w.t.Fatalf("to follow is answered with %d", response.StatusCode)
	}
	return bufio.NewScanner(response.Body)
}

// TestFollowLogs follows a function until the key is revoked, and another one until
// the server stops.
func TestFollowLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := talker(w)
	key := w.Key("", iam.ReadOnly)
	revoked, stopped := w.follow(f, key.SecretKey), w.follow(f, w.SecretKey)
	w.ask(f, "/first", "request1")
	for name, lines := range map[string]*bufio.Scanner{"the key to be revoked": revoked, "the other key": stopped} {
		for range 2 {
			if !lines.Scan() || !strings.Contains(lines.Text(), `"request_id":"request1"`) {
				t.Fatalf("%s reads %q, %v", name, lines.Text(), lines.Err())
			}
		}
	}
	must[admin.APIKey](t)(w.Admin.RevokeKey(t.Context(), key.AccessKey))
	w.ask(f, "/second", "request2")
	if revoked.Scan() {
		t.Errorf("with a revoked key one still reads %q", revoked.Text())
	}
	for range 2 {
		if !stopped.Scan() {
			t.Errorf("the other key reads no more: %v", stopped.Err())
		}
	}
	w.Stop()
	if stopped.Scan() || strings.Contains(w.Log.String(), "calls were cut off") {
		t.Errorf("the server waits for who follows, who reads %q", stopped.Text())
	}
}
