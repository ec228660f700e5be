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

// talker deploys a function that prints the path of a call and its secret variable.
func talker(w *world) *function.Function {
	w.t.Helper()
	request := python(w.namespace("logs").ID, "talker")
	request.SecretEnvironmentVariables = []*function.Secret{{Key: "S", Value: pointer("a well kept secret")}}
	return w.function(request, map[string]string{
		"handler.py": "import os, sys\ndef handle(event, context):\n" +
			"    print('out ' + event['path'])\n    print('err ' + os.environ['S'], file=sys.stderr)\n",
	})
}

// ask calls a function with a request ID.
func (w *world) ask(f *function.Function, path, requestID string) {
	w.t.Helper()
	status, header, body := w.send(http.MethodGet, w.GatewayURL+path, nil, http.Header{"Host": {f.DomainName}, "X-Request-Id": {requestID}})
	if status != http.StatusOK || header.Get("X-Request-Id") != requestID {
		w.t.Fatalf("call: got %d %q, request ID %q", status, body, header.Get("X-Request-Id"))
	}
}

func (w *world) logs(f *function.Function, query string) []api.LogLine {
	w.t.Helper()
	status, _, body := w.api(http.MethodGet, "/functions/"+f.ID+"/logs"+query, "")
	var answer struct{ Logs []api.LogLine }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		w.t.Fatalf("logs: got %d %s", status, body)
	}
	return answer.Logs
}

// A log line has the ID of the call that the instance served when it printed the line.
// Secrets are removed.
func TestLogs_ContainCallsWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := talker(w)
	// Wait for the lines of a call before the next one, because late lines may get the
	// next call's ID, as documented.
	for i, path := range []string{"/one", "/two"} {
		w.ask(f, path, "request"+path[1:])
		await.True(t, "the lines of the call are in the log", func() bool { return len(w.logs(f, "")) == 2*(i+1) })
	}
	lines := w.logs(f, "?since=10m")
	for i, want := range []struct{ stream, message, request string }{
		{output.Stdout, "out /one", "requestone"},
		{output.Stderr, "err [redacted]", "requestone"},
		{output.Stdout, "out /two", "requesttwo"},
		{output.Stderr, "err [redacted]", "requesttwo"},
	} {
		// The two streams of a call are read concurrently.
		got := lines[i]
		if got.Stream != want.stream {
			got = lines[i^1]
		}
		if got.Message != want.message || got.RequestID != want.request || got.Stream != want.stream ||
			got.InstanceID == "" || got.RevisionID == "" || time.Since(got.Timestamp) > time.Hour {
			t.Errorf("line %d: got %+v, want %+v", i, got, want)
		}
	}
	if got := w.logs(f, "?limit=1"); len(got) != 1 || got[0] != lines[3] {
		t.Errorf("the newest line: got %+v", got)
	}
	if got := w.logs(f, "?since=2099-01-01T00:00:00Z"); len(got) != 0 {
		t.Errorf("lines of the future: got %+v", got)
	}
	for _, query := range []string{"since=yesterday", "limit=0", "limit=10001", "limit=x"} {
		if status, _, body := w.api(http.MethodGet, "/functions/"+f.ID+"/logs?"+query, ""); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", query, status, body)
		}
	}
	w.restart()
	if got := w.logs(f, ""); len(got) != 4 {
		t.Errorf("after a restart: got %+v", got)
	}
	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
	await.True(t, "the logs are deleted", func() bool {
		found, err := output.Find(filepath.Join(w.DataDir, output.Dir), f.ID)
		return err == nil && found == nil
	})
}

// follow starts to read a function's log lines as they are printed.
func (w *world) follow(f *function.Function, secretKey string) *bufio.Scanner {
	w.t.Helper()
	url := w.APIURL + "/functions/v1beta1/regions/fr-par/functions/" + f.ID + "/logs?follow=true"
	request := must[*http.Request](w.t)(http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil))
	request.Header.Set("X-Auth-Token", secretKey)
	response := must[*http.Response](w.t)(http.DefaultClient.Do(request))
	w.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/x-ndjson" {
		w.t.Fatalf("follow: got status %d", response.StatusCode)
	}
	return bufio.NewScanner(response.Body)
}

// Following ends when the key is revoked, and when the server stops.
func TestLogs_FollowUntilRevocationOrStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := talker(w)
	key := w.Key("", iam.ReadOnly)
	revoked, stopped := w.follow(f, key.SecretKey), w.follow(f, w.SecretKey)
	w.ask(f, "/first", "request1")
	for name, lines := range map[string]*bufio.Scanner{"the key to be revoked": revoked, "the other key": stopped} {
		for range 2 {
			if !lines.Scan() || !strings.Contains(lines.Text(), `"request_id":"request1"`) {
				t.Fatalf("%s: got line %q, error %v", name, lines.Text(), lines.Err())
			}
		}
	}
	must[admin.APIKey](t)(w.Admin.RevokeKey(t.Context(), key.AccessKey))
	w.ask(f, "/second", "request2")
	if revoked.Scan() {
		t.Errorf("with a revoked key: got line %q", revoked.Text())
	}
	for range 2 {
		if !stopped.Scan() {
			t.Errorf("with the other key: got error %v, want lines", stopped.Err())
		}
	}
	w.Stop()
	if stopped.Scan() || strings.Contains(w.Log.String(), "calls were interrupted") {
		t.Errorf("after the server's stop: got line %q", stopped.Text())
	}
}
