package api_test

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestArchive_ServesWhatSignedURLsPermit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace("upload"), "f")
	const content = "the archive"
	uploadURL := func(length int) string {
		t.Helper()
		a := w.must("GET", "/functions/"+f+"/upload-url?content_length="+strconv.Itoa(length), "")
		if headers, ok := a.fields["headers"].(map[string]any); !ok || len(headers["content-length"].([]any)) != 1 {
			t.Errorf("upload-url: got %s, want the header content-length", a.body)
		}
		return a.text("url")
	}
	if a := w.ask("GET", "/functions/"+f+"/download-url", ""); a.status != 404 {
		t.Errorf("download-url without code: got %d %s, want 404", a.status, a.body)
	}
	put := uploadURL(len(content))
	uploaded := w.send("", http.MethodPut, put, content)
	sum := md5.Sum([]byte(content))
	if uploaded.status != 200 || uploaded.header.Get("Etag") != `"`+hex.EncodeToString(sum[:])+`"` {
		t.Fatalf("upload: got %d %s, ETag %s, want 200 and the MD5 of the content", uploaded.status, uploaded.body, uploaded.header.Get("Etag"))
	}
	get := w.must("GET", "/functions/"+f+"/download-url", "").text("url")
	if a := w.send("", http.MethodGet, get, ""); a.status != 200 || a.body != content {
		t.Errorf("download: got %d %q, want 200 %q", a.status, a.body, content)
	}
	changed := func(name, value string) string {
		parsed, err := url.Parse(put)
		if err != nil {
			t.Fatal(err)
		}
		query := parsed.Query()
		if query.Get(name) == "" {
			t.Fatalf("got %s, want a URL with %s", put, name)
		}
		query.Set(name, value)
		parsed.RawQuery = query.Encode()
		return parsed.String()
	}
	other := w.function(w.namespace("other"), "other")
	for name, test := range map[string]struct {
		method, url, body string
		status            int
	}{
		"longer than announced":     {http.MethodPut, put, content + "x", 400},
		"shorter than announced":    {http.MethodPut, put, content[1:], 400},
		"changed length":            {http.MethodPut, changed("X-Jeton-Content-Length", "12"), content + "x", 403},
		"changed expiry":            {http.MethodPut, changed("X-Jeton-Expires", "99999999999"), content, 403},
		"wrong signature":           {http.MethodPut, changed("X-Jeton-Signature", "00"), content, 403},
		"another function":          {http.MethodPut, strings.ReplaceAll(put, f, other), content, 403},
		"GET with URL for upload":   {http.MethodGet, put, "", 403},
		"PUT with URL for download": {http.MethodPut, get, content, 403},
	} {
		if a := w.send("", test.method, test.url, test.body); a.status != test.status {
			t.Errorf("%s: got %d %s, want %d", name, a.status, a.body, test.status)
		}
	}
	for query, argument := range map[string]string{"": "content_length", "?content_length=0": "content_length", "?content_length=x": "content_length", "?content_length=999999999999": "content_length"} {
		if a := w.ask("GET", "/functions/"+f+"/upload-url"+query, ""); a.status != 400 || !strings.Contains(a.body, argument) {
			t.Errorf("upload-url%s: got %d %s, want 400 for %s", query, a.status, a.body, argument)
		}
	}
	if a := w.send("", http.MethodGet, get, ""); a.body != content {
		t.Errorf("code after refused uploads: got %q, want %q", a.body, content)
	}
	expired := uploadURL(len(content))
	w.clock.Advance(time.Hour)
	if a := w.send("", http.MethodPut, expired, content); a.status != 403 {
		t.Errorf("expired URL: got %d %s, want 403", a.status, a.body)
	}
	deleted := uploadURL(len(content))
	w.must("DELETE", "/functions/"+f, "")
	if a := w.send("", http.MethodPut, deleted, content); a.status != 404 && a.status != 409 {
		t.Errorf("upload for a deleted function: got %d %s, want 404 or 409", a.status, a.body)
	}
}

func TestDeploy_AcceptsEmptyBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace("deploy"), "f")
	if a := w.must("POST", "/functions/"+f+"/deploy", ""); a.text("status") != "pending" {
		t.Errorf("deploy: got %s, want the status pending", a.body)
	}
	if a := w.ask("POST", "/functions/"+f+"/deploy", "{"); a.status != 400 {
		t.Errorf("deploy with an invalid body: got %d %s, want 400", a.status, a.body)
	}
}
