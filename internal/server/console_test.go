package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/server"
)

// running is a server with its first API key.
type running struct {
	t *testing.T
	*server.Server
}

func run(t *testing.T, c server.Config) running {
	t.Helper()
	s := open(t, c)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	return running{t, s}
}

// send sends a request with headers, and returns the response and its body.
func (r running) send(method, path, body string, headers map[string]string) (*http.Response, string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.Endpoints().API+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(content)
}

// signIn returns the headers of a session of the console.
func (r running) signIn() map[string]string {
	r.t.Helper()
	response, body := r.send(http.MethodPost, "/console/session", fmt.Sprintf(`{"secret_key":%q}`, *r.Issued().SecretKey),
		map[string]string{"Content-Type": "application/json"})
	if response.StatusCode != http.StatusOK || len(response.Cookies()) != 1 {
		r.t.Fatalf("sign in: got %d %s", response.StatusCode, body)
	}
	cookie := response.Cookies()[0]
	return map[string]string{"Cookie": cookie.Name + "=" + cookie.Value, "X-Jeton-Console": "1"}
}

func TestConsole_ReadsAuditLogAndState(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.GatewayTLSListen, c.Version = "127.0.0.1:0", "1.2.3"
	r := run(t, c)
	session := r.signIn()
	for i := range 5 {
		if response, body := r.send(http.MethodPost, "/console/api/functions/v1beta1/regions/fr-par/namespaces", fmt.Sprintf(`{"name":"n%d"}`, i), session); response.StatusCode != http.StatusOK {
			t.Fatalf("create a namespace: got %d %s", response.StatusCode, body)
		}
	}
	r.send(http.MethodPost, "/console/session", `{"secret_key":"11111111-1111-4111-8111-111111111111"}`, map[string]string{"Content-Type": "application/json"})
	for query, want := range map[string]struct {
		entries int
		more    bool
	}{
		"":                                     {6, false},
		"?page_size=2":                         {2, true},
		"?page_size=2&page=3":                  {2, false},
		"?page_size=2&page=4":                  {0, false},
		"?audit_endpoint=post":                 {5, false},
		"?refused=true":                        {1, false},
		"?access_key=" + *r.Issued().AccessKey: {5, false},
		"?access_key=SCWOTHER":                 {0, false},
		"?from=192.0.2.1":                      {0, false},
		"?since=1ns":                           {0, false},
	} {
		_, body := r.send(http.MethodGet, "/console/api/jeton/v1/audit"+query, "", session)
		var got struct {
			Entries []struct {
				Endpoint string `json:"audit_endpoint"`
				Status   int    `json:"status_code"`
			}
			More bool
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Entries) != want.entries || got.More != want.more {
			t.Errorf("%q: got %s, want %d entries, more %v", query, body, want.entries, want.more)
		}
		if query == "" && len(got.Entries) > 0 && got.Entries[0].Status != http.StatusUnauthorized {
			t.Errorf("the newest entry is %+v, want the refused sign-in", got.Entries[0])
		}
	}
	_, body := r.send(http.MethodGet, "/console/api/jeton/v1/state", "", session)
	for _, want := range []string{`"version":"1.2.3"`, `"database":"SQLite"`, `"source":"local CA"`, `"language":`, `"changes_behind":0`} {
		if !strings.Contains(body, want) {
			t.Errorf("the state is %s, want %s", body, want)
		}
	}
	if strings.Contains(body, "0001-01-01") {
		t.Errorf("the state has a time that is not set: %s", body)
	}
	if _, body := r.send(http.MethodGet, "/console/api/jeton/v1/api-keys", "", session); !strings.Contains(body, *r.Issued().AccessKey) || strings.Contains(body, *r.Issued().SecretKey) {
		t.Errorf("the API keys are %s", body)
	}
	if _, body := r.send(http.MethodGet, "/console/session", "", session); !strings.Contains(body, `"https_port":`+port(r.Endpoints().GatewayTLS)) {
		t.Errorf("the session is %s, want the port of %s", body, r.Endpoints().GatewayTLS)
	}
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
