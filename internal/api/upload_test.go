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

func TestUploadAndDownload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace("upload"), "f")
	const content = "the archive"
	address := func(length int) string {
		t.Helper()
		a := w.must("GET", "/functions/"+f+"/upload-url?content_length="+strconv.Itoa(length), "")
		if headers, ok := a.fields["headers"].(map[string]any); !ok || len(headers["content-length"].([]any)) != 1 {
			t.Errorf("%s", a.body)
		}
		return a.text("url")
	}
	if a := w.ask("GET", "/functions/"+f+"/download-url", ""); a.status != 404 {
		t.Errorf("the code before it is there: %d %s", a.status, a.body)
	}
	put := address(len(content))
	uploaded := w.send("", http.MethodPut, put, content)
	sum := md5.Sum([]byte(content))
	if uploaded.status != 200 || uploaded.header.Get("Etag") != `"`+hex.EncodeToString(sum[:])+`"` {
		t.Fatalf("%d %s, ETag %s", uploaded.status, uploaded.body, uploaded.header.Get("Etag"))
	}
	get := w.must("GET", "/functions/"+f+"/download-url", "").text("url")
	if a := w.send("", http.MethodGet, get, ""); a.status != 200 || a.body != content {
		t.Errorf("%d %q", a.status, a.body)
	}
	changed := func(name, value string) string {
		parsed, err := url.Parse(put)
		if err != nil {
			t.Fatal(err)
		}
		query := parsed.Query()
		if query.Get(name) == "" {
			t.Fatalf("%s has no %s", put, name)
		}
		query.Set(name, value)
		parsed.RawQuery = query.Encode()
		return parsed.String()
	}
	other := w.function(w.namespace("other"), "other")
	for name, test := range map[string]struct {
		method, address, body string
		status                int
	}{
		"longer than was said":     {http.MethodPut, put, content + "x", 400},
		"shorter than was said":    {http.MethodPut, put, content[1:], 400},
		"another length signed":    {http.MethodPut, changed("X-Jeton-Content-Length", "12"), content + "x", 403},
		"a later end":              {http.MethodPut, changed("X-Jeton-Expires", "99999999999"), content, 403},
		"no signature":             {http.MethodPut, changed("X-Jeton-Signature", "00"), content, 403},
		"of another function":      {http.MethodPut, strings.ReplaceAll(put, f, other), content, 403},
		"an upload's, to download": {http.MethodGet, put, "", 403},
		"a download's, to upload":  {http.MethodPut, get, content, 403},
	} {
		if a := w.send("", test.method, test.address, test.body); a.status != test.status {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, test.status)
		}
	}
	for query, argument := range map[string]string{"": "content_length", "?content_length=0": "content_length", "?content_length=x": "content_length", "?content_length=999999999999": "content_length"} {
		if a := w.ask("GET", "/functions/"+f+"/upload-url"+query, ""); a.status != 400 || !strings.Contains(a.body, argument) {
			t.Errorf("upload-url%s: %d %s", query, a.status, a.body)
		}
	}
	if a := w.send("", http.MethodGet, get, ""); a.body != content {
		t.Errorf("afterwards the code is %q", a.body)
	}
	late := address(len(content))
	w.pass(time.Hour)
	if a := w.send("", http.MethodPut, late, content); a.status != 403 {
		t.Errorf("an hour later: %d %s", a.status, a.body)
	}
	soon := address(len(content))
	w.must("DELETE", "/functions/"+f, "")
	if a := w.send("", http.MethodPut, soon, content); a.status != 404 && a.status != 409 {
		t.Errorf("of a function that is deleted: %d %s", a.status, a.body)
	}
}

func TestDeployNeedsNoBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace("deploy"), "f")
	if a := w.must("POST", "/functions/"+f+"/deploy", ""); a.text("status") != "pending" {
		t.Errorf("%s", a.body)
	}
	if a := w.ask("POST", "/functions/"+f+"/deploy", "{"); a.status != 400 {
		t.Errorf("no JSON: %d %s", a.status, a.body)
	}
}
