package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
)

// uploadURLAs returns an upload URL that is issued to an API key.
func (w *world) uploadURLAs(key admin.APIKey, functionID string, length int) string {
	w.t.Helper()
	api := function.NewAPI(w.ClientOf(key))
	target := must[*function.UploadURL](w.t)(api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: functionID, ContentLength: uint64(length)}))
	return target.URL
}

// keptArchives returns the sizes of all files in the folder of archives.
func (w *world) keptArchives() []int64 {
	w.t.Helper()
	var sizes []int64
	err := filepath.WalkDir(filepath.Join(w.DataDir, "archives"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			sizes = append(sizes, info.Size())
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return sizes
}

// A signed URL is refused once its API key is revoked.
func TestUploadURL_EndsWithItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("uploads")
	f := w.function(python(n.ID, "f"), nil)
	archive := zipOf(t, pythonHandler("return 'x'"))
	key := w.Key("", iam.FullAccess)
	put, begun := w.uploadURLAs(key, f.ID, len(archive)), w.uploadURLAs(key, f.ID, len(archive))
	status, _, body := w.send(http.MethodPut, put, archive, nil)
	wantStatus(t, "an upload before the revocation: "+body, status, 200)
	get := must[*function.DownloadURL](t)(function.NewAPI(w.ClientOf(key)).GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: f.ID})).URL

	// An upload that began before the revocation is refused at its end.
	other := zipOf(t, pythonHandler("return 'y'"))
	if len(other) != len(archive) {
		t.Fatal("the archives must have the same length")
	}
	reader, writer := io.Pipe()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPut, begun, reader))
	request.ContentLength = int64(len(other))
	late := make(chan int, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			late <- 0
			return
		}
		response.Body.Close()
		late <- response.StatusCode
	}()
	must[int](t)(writer.Write(other[:10]))
	must[admin.APIKey](t)(w.Admin.RevokeKey(t.Context(), key.AccessKey))
	must[int](t)(writer.Write(other[10:]))
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "an upload during the revocation", <-late, 403)
	for name, test := range map[string]struct {
		method, url string
		body        []byte
	}{"an upload": {http.MethodPut, put, archive}, "a download": {http.MethodGet, get, nil}} {
		status, _, body := w.send(test.method, test.url, test.body, nil)
		if status != 403 || !strings.Contains(body, "invalid or has expired") {
			t.Errorf("%s after the revocation: got %d %s", name, status, body)
		}
	}
	// The signature covers the key's ID.
	status, _, _ = w.send(http.MethodPut, strings.Replace(put, key.AccessKey, w.AccessKey, 1), archive, nil)
	wantStatus(t, "an upload in another key's name", status, 403)
	download := must[*function.DownloadURL](t)(w.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: f.ID}))
	status, header, content := w.send(http.MethodGet, download.URL, nil, nil)
	digest := sha256.Sum256(archive)
	if want := "sha-256=:" + base64.StdEncoding.EncodeToString(digest[:]) + ":"; status != 200 || content != string(archive) || header.Get("Repr-Digest") != want {
		t.Errorf("a download with a valid key: got %d, %d bytes, digest %q, want %q", status, len(content), header.Get("Repr-Digest"), want)
	}
	if kept := w.keptArchives(); len(kept) != 1 {
		t.Errorf("got archives of %v bytes, want one", kept)
	}
}

// A URL expires with its API key if that is earlier than the URL's hour.
func TestUploadURL_ExpiresWithItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("uploads")
	f := w.function(python(n.ID, "f"), nil)
	archive := zipOf(t, pythonHandler("return 'x'"))
	expires := time.Now().Add(time.Hour / 2)
	key := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{Permissions: []string{iam.FullAccess}, ExpiresAt: expires}))
	put := w.uploadURLAs(key, f.ID, len(archive))
	w.restart(func(c *server.Config) { c.Now = func() time.Time { return time.Now().Add(45 * time.Minute).UTC() } })
	status, _, _ := w.send(http.MethodPut, w.APIURL+put[strings.Index(put, "/archives/"):], archive, nil)
	wantStatus(t, "an upload after the key has expired", status, 403)
}

// An archive that was never deployed is removed when another one replaces it.
func TestUpload_RemovesSupersededArchives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("uploads")
	f := w.function(python(n.ID, "f"), pythonHandler("return 'serving'"))
	for i := range 5 {
		w.upload(f.ID, zipOf(t, pythonHandler(fmt.Sprintf("return 'code %d'", i))))
		// The deployed archive is kept, because it may be deployed again.
		if kept := w.keptArchives(); len(kept) != 2 {
			t.Errorf("after %d uploads: got archives of %v bytes, want two", i+1, kept)
		}
	}
	must[*function.Function](t)(w.DeployFunction(&function.DeployFunctionRequest{FunctionID: f.ID}))
	f = w.settled(f.ID)
	if _, body := w.call(f, "/", ""); body != "code 4" {
		t.Errorf("got body %q", body)
	}
}

// Concurrent uploads cannot exceed the quota of their project.
func TestStorageQuota_BoundsConcurrentUploads(t *testing.T) {
	t.Parallel()
	const size = 1000
	w := newWorld(t, func(c *server.Config) { c.Limits.Storage = 2*size + size/2 })
	n := w.namespace("uploads")
	var ids []string
	for i := range 4 {
		ids = append(ids, w.function(python(n.ID, fmt.Sprintf("f%d", i)), nil).ID)
	}
	full := func(what string, status int, body string, used int) {
		t.Helper()
		want := fmt.Sprintf(`{"details":[{"resource":"storage","quota":%d,"current":%d}],"message":"quota exceeded: `, 2*size+size/2, used)
		if status != 403 || !strings.HasPrefix(body, want) || !strings.HasSuffix(body, `"type":"quotas_exceeded"}`) {
			t.Errorf("%s: got %d %s, want %s", what, status, body, want)
		}
	}
	targets := make([]string, len(ids))
	for i, id := range ids {
		targets[i] = must[*function.UploadURL](t)(w.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: id, ContentLength: size})).URL
	}
	// Of four concurrent uploads two are within the quota.
	statuses := make(chan int)
	for i, target := range targets {
		go func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, target, strings.NewReader(strings.Repeat(fmt.Sprint(i), size)))
			if err != nil {
				t.Error(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	var got []int
	for range targets {
		got = append(got, <-statuses)
	}
	slices.Sort(got)
	if !slices.Equal(got, []int{200, 200, 403, 403}) {
		t.Errorf("got statuses %v", got)
	}
	if kept := w.keptArchives(); len(kept) != 2 {
		t.Errorf("got archives of %v bytes, want two", kept)
	}
	status, _, body := w.api(http.MethodGet, fmt.Sprintf("/functions/%s/upload-url?content_length=%d", ids[0], size), "")
	full("an upload URL", status, body, 2*size)
	for _, target := range targets {
		status, _, body = w.send(http.MethodPut, target, []byte(strings.Repeat("x", size)), nil)
		full("an upload", status, body, 2*size)
	}
	// Another project has its own quota.
	project := must[admin.Project](t)(w.Admin.CreateProject(t.Context(), "other"))
	other := w.Key(project.ID, iam.FullAccess)
	api := function.NewAPI(w.ClientOf(other))
	m := must[*function.Namespace](t)(api.CreateNamespace(&function.CreateNamespaceRequest{Name: "other", ProjectID: project.ID}))
	must[*function.Namespace](t)(api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: m.ID, RetryInterval: often}))
	g := must[*function.Function](t)(api.CreateFunction(python(m.ID, "g")))
	status, _, body = w.send(http.MethodPut, w.uploadURLAs(other, g.ID, size), []byte(strings.Repeat("x", size)), nil)
	wantStatus(t, "an upload of another project: "+body, status, 200)
	// A deletion frees space.
	for _, id := range ids {
		must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: id}))
		if _, err := w.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: id, RetryInterval: often}); !notFound(err) {
			t.Errorf("the deleted function: got error %v", err)
		}
	}
	last := w.function(python(n.ID, "last"), nil)
	if _, err := w.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: last.ID, ContentLength: size}); err != nil {
		t.Errorf("after the deletions: got error %v", err)
	}
}

// Behind a proxy that terminates TLS, archives are also sent over TLS.
func TestUploadURL_HasPublicURL(t *testing.T) {
	t.Parallel()
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	const public = "https://functions.example.com"
	forwarded := http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"functions.example.com"}}
	tests := map[string]struct {
		url     string
		proxies []netip.Prefix
		header  http.Header
		want    string
	}{
		"as it is reached":         {"", nil, nil, ""},
		"configured":               {public + "/", nil, nil, public},
		"configured, with a path":  {public + "/jeton/", nil, nil, public + "/jeton"},
		"a trusted proxy":          {"", here, forwarded, public},
		"configured, and a proxy":  {"https://other.example.com", here, forwarded, "https://other.example.com"},
		"a proxy not trusted":      {"", elsewhere, forwarded, ""},
		"no proxy is trusted":      {"", nil, forwarded, ""},
		"the last of several":      {"", here, http.Header{"X-Forwarded-Proto": {"gopher, https"}, "X-Forwarded-Host": {"evil.example.org", "functions.example.com"}}, public},
		"a scheme that is no HTTP": {"", here, http.Header{"X-Forwarded-Proto": {"javascript"}}, ""},
		"a host that is no host":   {"", here, http.Header{"X-Forwarded-Host": {"evil.example.org/x?"}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *server.Config) { c.APIURL, c.TrustedProxies = test.url, test.proxies })
			f := w.function(python(w.namespace("public").ID, "f"), nil)
			header := http.Header{"X-Auth-Token": {w.SecretKey}}
			for name, values := range test.header {
				header[name] = values
			}
			want := test.want
			if want == "" {
				want = w.APIURL
			}
			_, _, body := w.send(http.MethodGet, w.APIURL+"/functions/v1beta1/regions/fr-par/functions/"+f.ID+"/upload-url?content_length=10", nil, header)
			if !strings.Contains(body, `"url":"`+want+`/archives/function-`) {
				t.Errorf("got %s, want a URL at %s", body, want)
			}
		})
	}
}
