package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/backup"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// TestBackup makes backups of a server that is changed as fast as it can be, and
// starts another one on the last of them.
func TestBackup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := python(w.namespace("kept").ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	request.SecretEnvironmentVariables = []*function.Secret{{Key: "S", Value: pointer(jetontest.SecretMark)}}
	f := w.function(request, pythonHandler("return os.environ['S']"))
	kept := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	revoked := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: revoked.ID}))

	busy, stop := context.WithCancel(t.Context())
	var changes sync.WaitGroup
	changes.Go(func() {
		for busy.Err() == nil {
			// Uploads and deletions add and remove the files that a backup needs.
			g := w.function(python(f.NamespaceID, "g"), pythonHandler("return '"+time.Now().String()+"'"))
			must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: g.ID}))
			for {
				if _, err := w.GetFunction(&function.GetFunctionRequest{FunctionID: g.ID}); err != nil {
					break
				}
			}
		}
	})
	var last bytes.Buffer
	for range 10 {
		last.Reset()
		if err := backup.Write(t.Context(), w.DataDir, &last, backup.Options{Now: time.Now()}); err != nil {
			t.Errorf("a backup of a busy server: %v", err)
		}
	}
	stop()
	changes.Wait()

	dir := filepath.Join(t.TempDir(), "restored")
	if err := backup.Restore(t.Context(), bytes.NewReader(last.Bytes()), dir); err != nil {
		t.Fatal(err)
	}
	other := w.over(dir)
	status, body := other.call(f, "/", kept.Token)
	if status != 200 || body != jetontest.SecretMark {
		t.Errorf("the restored function: %d %s", status, body)
	}
	status, _ = other.call(f, "/", revoked.Token)
	wantStatus(t, "the token that was revoked before", status, 403)
}

// TestBadBackups has what is no backup, or not all of one, leave nothing behind.
func TestBadBackups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.namespace("n")
	var good bytes.Buffer
	if err := backup.Write(t.Context(), w.DataDir, &good, backup.Options{Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	pack := func(name string, kind byte, content string) []byte {
		var file bytes.Buffer
		compressed := gzip.NewWriter(&file)
		packed := tar.NewWriter(compressed)
		err := packed.WriteHeader(&tar.Header{Name: name, Typeflag: kind, Size: int64(len(content)), Linkname: "/etc/passwd", Mode: 0o600})
		if err == nil {
			_, err = io.WriteString(packed, content)
		}
		if err := errors.Join(err, packed.Close(), compressed.Close()); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"no gzip":                 {[]byte("hello"), "not a backup"},
		"half of one":             {good.Bytes()[:good.Len()/2], "unexpected EOF"},
		"all but the end":         {good.Bytes()[:good.Len()-4], "unexpected EOF"},
		"a path that climbs":      {pack("archives/../../x", tar.TypeReg, "x"), "no backup holds such a file"},
		"an absolute path":        {pack("/etc/x", tar.TypeReg, "x"), "no backup holds such a file"},
		"a link":                  {pack("archives/x", tar.TypeSymlink, ""), "no backup holds such a file"},
		"another file":            {pack("passwd", tar.TypeReg, "x"), "no backup holds such a file"},
		"no database":             {pack("secret.key", tar.TypeReg, "x"), "damaged"},
		"a database that is none": {pack("jeton.db", tar.TypeReg, strings.Repeat("x", 4096)), "damaged"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		err := backup.Restore(t.Context(), bytes.NewReader(test.content), dir)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*")); len(left) > 0 {
			t.Errorf("%s: %v is left", name, left)
		}
	}
	if err := backup.Restore(t.Context(), bytes.NewReader(good.Bytes()), w.DataDir); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("over a folder in use: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.DataDir, "backup-*")); len(left) > 0 {
		t.Errorf("%v is left in the data folder", left)
	}

	// Without the key, the server says what is missing.
	var keyless bytes.Buffer
	if err := backup.Write(t.Context(), w.DataDir, &keyless, backup.Options{WithoutKey: true}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "keyless")
	if err := backup.Restore(t.Context(), &keyless, dir); err != nil {
		t.Fatal(err)
	}
	if missing := server.MissingKey(dir); missing != filepath.Join(dir, "secret.key") {
		t.Errorf("missing is %q", missing)
	}
	key := must[[]byte](t)(os.ReadFile(filepath.Join(w.DataDir, "secret.key")))
	if err := os.WriteFile(filepath.Join(dir, "secret.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	listed := must[*function.ListNamespacesResponse](t)(w.over(dir).ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages()))
	if listed.TotalCount != 1 {
		t.Errorf("%d namespaces after the restoration", listed.TotalCount)
	}
}
