package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/console"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/test/testclock"
)

const secretKey = "11111111-1111-4111-8111-111111111111"

type keyOfRequest struct{}

// backend is the API behind the console: it has one API key, and answers other requests
// with what it has received.
func backend(w http.ResponseWriter, r *http.Request) {
	key, _ := r.Context().Value(keyOfRequest{}).(string)
	switch {
	case r.Header.Get("X-Auth-Token") == secretKey:
		key = "SCWKEY"
	case key == "":
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == console.SessionPath {
		_ = json.NewEncoder(w).Encode(map[string]string{"access_key": key})
		return
	}
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s as %s: %s cookie=%q token=%q", r.Method, r.URL.RequestURI(), key, body, r.Header.Get("Cookie"), r.Header.Get("X-Auth-Token"))
}

type world struct {
	t     *testing.T
	clock *testclock.Clock
	*console.Console
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: testclock.New(time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC))}
	w.Console = w.node(0)
	return w
}

// node returns a console whose sealing key has a first byte.
func (w *world) node(first byte) *console.Console {
	w.t.Helper()
	key := make([]byte, secret.KeySize)
	key[0] = first
	sealer, err := secret.NewSealer(key)
	if err != nil {
		w.t.Fatal(err)
	}
	k, err := console.New(console.Config{
		API: http.HandlerFunc(backend), Sealer: sealer, Now: w.clock.Now,
		AsKey: func(r *http.Request, accessKey string) *http.Request {
			return r.WithContext(context.WithValue(r.Context(), keyOfRequest{}, accessKey))
		},
		Secure: func(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func (w *world) send(k http.Handler, method, path, body string, headers ...string) *http.Response {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	k.ServeHTTP(recorder, r)
	return recorder.Result()
}

func text(r *http.Response) string {
	content, _ := io.ReadAll(r.Body)
	return string(content)
}

// signIn returns the cookie of a session in the form of a request header.
func (w *world) signIn(headers ...string) *http.Cookie {
	w.t.Helper()
	answer := w.send(w, http.MethodPost, "/console/session", `{"secret_key":" `+secretKey+`\n"}`, append([]string{"Content-Type", "application/json"}, headers...)...)
	if answer.StatusCode != http.StatusOK || len(answer.Cookies()) != 1 {
		w.t.Fatalf("sign in: got %d %s", answer.StatusCode, text(answer))
	}
	return answer.Cookies()[0]
}

func TestSession_PassesRequestsAsOwnerOfKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.signIn()
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.Path != "" || strings.Contains(cookie.Value, "SCWKEY") {
		t.Errorf("the cookie is %+v", cookie)
	}
	if secured := w.signIn("X-Forwarded-Proto", "https"); !secured.Secure {
		t.Error("the cookie is not secure over HTTPS")
	}
	header := cookie.Name + "=" + cookie.Value
	got := text(w.send(w, http.MethodPost, "/console/api/a/b?c=d%20e", "body", "Cookie", header, "X-Jeton-Console", "1", "X-Auth-Token", "x"))
	if want := `POST /a/b?c=d%20e as SCWKEY: body cookie="" token=""`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := text(w.send(w, http.MethodGet, "/console/session", "", "Cookie", header)); got != `{"access_key":"SCWKEY"}`+"\n" {
		t.Errorf("the session is %s", got)
	}
	// Another node with the same key accepts the session.
	if answer := w.send(w.node(0), http.MethodGet, "/console/api/x", "", "Cookie", header, "X-Jeton-Console", "1"); answer.StatusCode != http.StatusOK {
		t.Errorf("on another node: got %d", answer.StatusCode)
	}
	if answer := w.send(w, http.MethodDelete, "/console/session", "", "Cookie", header); answer.StatusCode != http.StatusNoContent || answer.Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign out: got %d, %v", answer.StatusCode, answer.Cookies())
	}
}

func TestSession_RefusesInvalidCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.signIn()
	value := cookie.Value
	for name, test := range map[string]struct {
		value string
		on    *console.Console
		later time.Duration
	}{
		"none":             {value: ""},
		"not base64":       {value: "?"},
		"changed":          {value: "A" + value[1:]},
		"of another key":   {value: value, on: w.node(1)},
		"after its end":    {value: value, later: 12 * time.Hour},
		"an access key":    {value: "SCWKEY"},
		"truncated":        {value: value[:len(value)-4]},
		"before its end 1": {value: value, later: 0},
	} {
		k := test.on
		if k == nil {
			k = w.Console
		}
		clock := w.clock
		clock.Advance(test.later)
		answer := w.send(k, http.MethodGet, "/console/api/x", "", "Cookie", cookie.Name+"="+test.value, "X-Jeton-Console", "1")
		clock.Advance(-test.later)
		want := http.StatusUnauthorized
		if name == "before its end 1" {
			want = http.StatusOK
		}
		if answer.StatusCode != want {
			t.Errorf("%s: got %d, want %d", name, answer.StatusCode, want)
		}
	}
}

func TestSignIn_RefusesWrongKeysAndBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]int{
		`{"secret_key":"22222222-2222-4222-8222-222222222222"}`: 401, `{}`: 401, `{`: 400, `{"secret_key":1}`: 400,
		`{"secret_key":"` + strings.Repeat("x", 1<<20) + `"}`: 400,
	} {
		answer := w.send(w, http.MethodPost, "/console/session", body, "Content-Type", "application/json")
		if answer.StatusCode != want || len(answer.Cookies()) != 0 {
			t.Errorf("%.60s: got %d and %d cookies, want %d and none", body, answer.StatusCode, len(answer.Cookies()), want)
		}
	}
	form := w.send(w, http.MethodPost, "/console/session", url.Values{"secret_key": {secretKey}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if form.StatusCode != http.StatusBadRequest {
		t.Errorf("a form: got %d, want 400", form.StatusCode)
	}
}

func TestRequests_OfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.signIn()
	session := []string{"Cookie", cookie.Name + "=" + cookie.Value}
	for name, test := range map[string]struct {
		method, path string
		headers      []string
		want         int
	}{
		"own page":                        {"POST", "/console/api/x", []string{"Sec-Fetch-Site", "same-origin", "X-Jeton-Console", "1"}, 200},
		"own page, old browser":           {"POST", "/console/api/x", []string{"Origin", "http://example.com", "X-Jeton-Console", "1"}, 200},
		"another origin, old browser":     {"POST", "/console/api/x", []string{"Origin", "http://example.com:8081", "X-Jeton-Console", "1"}, 403},
		"a form without the header":       {"POST", "/console/api/x", nil, 403},
		"another site":                    {"POST", "/console/api/x", []string{"Sec-Fetch-Site", "cross-site", "X-Jeton-Console", "1"}, 403},
		"a function on another port":      {"DELETE", "/console/api/x", []string{"Sec-Fetch-Site", "same-site", "X-Jeton-Console", "1"}, 403},
		"a read of another site":          {"GET", "/console/api/x", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		"a script of another site":        {"GET", "/console/assets/v/app.js", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}, 403},
		"a frame of another site":         {"GET", "/console/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		"a link of another site":          {"GET", "/console/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		"typed by the user":               {"GET", "/console/", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		"a sign-in of another site":       {"POST", "/console/session", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/json"}, 403},
		"a sign-out of another site":      {"DELETE", "/console/session", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a read of the page":              {"GET", "/console/api/x", []string{"Sec-Fetch-Site", "same-origin", "X-Jeton-Console", "1"}, 200},
		"a stream of the page":            {"GET", "/console/api/x", []string{"Sec-Fetch-Site", "same-origin", "Accept", "text/event-stream"}, 200},
		"an image without fetch metadata": {"GET", "/console/api/functions/v1beta1/regions/fr-par/issue-jwt", []string{"Accept", "image/*"}, 403},
		"a path outside of the API":       {"GET", "/console/other", nil, 404},
		"a write without session cookie":  {"POST", "/console/api/x", []string{"Cookie", "", "X-Jeton-Console", "1"}, 401},
	} {
		answer := w.send(w, test.method, test.path, "", append(append([]string{}, session...), test.headers...)...)
		if answer.StatusCode != test.want {
			t.Errorf("%s: got %d, want %d", name, answer.StatusCode, test.want)
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || answer.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: the page can be embedded: %s", name, policy)
		}
	}
}

func TestFiles_AreVersionedAndCompressed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	page := text(w.send(w, http.MethodGet, "/console/", ""))
	found := regexp.MustCompile(`assets/[0-9a-f]{16}/[a-z.]+`).FindAllString(page, -1)
	var names []string
	for _, path := range found {
		names = append(names, path[len("assets/0123456789abcdef/"):])
	}
	// The modules of the pages are loaded when they are shown.
	want := []string{"jeton.svg", "style.css", "start.js", "lib.js", "live.js", "preact.js", "ui.js", "app.js"}
	if !slices.Equal(names, want) {
		t.Fatalf("the page refers to %v, want %v", names, want)
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "style=") || strings.Contains(page, `="/`) {
		t.Errorf("the page has inline code or absolute paths: %s", page)
	}
	for _, path := range found {
		plain := w.send(w, http.MethodGet, "/console/"+path, "")
		zipped := w.send(w, http.MethodGet, "/console/"+path, "", "Accept-Encoding", "gzip")
		if plain.StatusCode != 200 || !strings.Contains(plain.Header.Get("Cache-Control"), "immutable") || plain.Header.Get("Content-Encoding") != "" ||
			zipped.Header.Get("Content-Encoding") != "gzip" || len(text(zipped)) == len(text(plain)) {
			t.Errorf("%s: %d %v", path, plain.StatusCode, plain.Header)
		}
	}
	if other := w.send(w, http.MethodGet, "/console/assets/other/app.js", ""); other.StatusCode != 200 || other.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a file of another version: %d %s", other.StatusCode, other.Header.Get("Cache-Control"))
	}
	for _, path := range []string{"/console/assets/v/index.html", "/console/assets/v/../console.go", "/console/assets/v/none.js"} {
		if answer := w.send(w, http.MethodGet, path, ""); answer.StatusCode == 200 {
			t.Errorf("%s is served", path)
		}
	}
	redirect := w.send(w, http.MethodGet, "/console", "")
	if redirect.StatusCode != http.StatusPermanentRedirect || redirect.Header.Get("Location") != "console/" {
		t.Errorf("/console: got %d to %q", redirect.StatusCode, redirect.Header.Get("Location"))
	}
}

func TestNew_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	if k, err := console.New(console.Config{}); k != nil || err == nil {
		t.Errorf("New() = %v, %v, want an error", k, err)
	}
}
