package e2e_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
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

// The test makes backups of a busy server, and starts another server from the last one.
func TestBackup_OfBusyServer(t *testing.T) {
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
			t.Errorf("Write() of a busy server: got error %v", err)
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

// The code contains symbolic links, one of them dangling, and the audit logs have their
// maximum size.
func TestBackup_ContainsLinksAndFullAuditLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(python(w.namespace("links").ID, "f"), pythonHandler("import linked; return linked.text"))
	f = w.deploy(f.ID, zipWithLinks(t, map[string]string{"handler.py": "def handle(e, c):\n    import linked\n    return linked.text\n", "real/code.py": "text = 'linked'\n"},
		map[string]string{"linked.py": "real/code.py", "gone": "real/nothing"}))
	if status, body := w.call(f, "/", ""); status != 200 || body != "linked" {
		t.Fatalf("call: got %d %s: %v", status, body, f.ErrorMessage)
	}
	for name, text := range map[string]string{"audit.log.1": "newer\n", "audit.log.10": "older\n"} {
		if err := os.WriteFile(filepath.Join(w.DataDir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := backup.Write(t.Context(), w.DataDir, &file, backup.Options{Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	if err := backup.Restore(t.Context(), &file, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"audit.log.1": "newer\n", "audit.log.10": "older\n"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
			t.Errorf("%s: got %q, error %v", name, text, err)
		}
	}
	if status, body := w.over(dir).call(f, "/", ""); status != 200 || body != "linked" {
		t.Errorf("the restored function: %d %s", status, body)
	}
}

// zipWithLinks returns an archive of files and symbolic links.
func zipWithLinks(t *testing.T, files, links map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	add := func(name, text string, mode fs.FileMode) {
		header := &zip.FileHeader{Name: name}
		header.SetMode(mode)
		file, err := z.CreateHeader(header)
		if err == nil {
			_, err = io.WriteString(file, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		add(name, text, 0o644)
	}
	for name, target := range links {
		add(name, target, fs.ModeSymlink|0o777)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// An ID in the backup's database could name a folder outside of the data folder.
func TestRestore_RefusesPathsAsIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.function(python(w.namespace("n").ID, "f"), pythonHandler("return 'x'"))
	w.Stop()
	for name, statement := range map[string]string{
		"an ID":       `UPDATE functions SET id = '../../victim', body = json_set(body, '$.ID', '../../victim')`,
		"another ID":  `UPDATE functions SET body = json_set(body, '$.ID', '` + strings.Repeat("0", 36) + `')`,
		"an artifact": `UPDATE functions SET body = json_set(body, '$.Revision.Artifact', '../../victim')`,
		"an archive":  `UPDATE functions SET body = json_set(body, '$.Archive', '..')`,
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(data, os.DirFS(w.DataDir)); err != nil {
				t.Fatal(err)
			}
			db := must[*sql.DB](t)(sql.Open("sqlite", filepath.Join(data, "jeton.db")))
			result, err := db.Exec("PRAGMA foreign_keys = off; " + statement)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := result.RowsAffected(); err != nil || n != 1 {
				t.Fatalf("changed %d functions, error %v", n, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			var file bytes.Buffer
			compressed := gzip.NewWriter(&file)
			packed := tar.NewWriter(compressed)
			for _, name := range []string{"jeton.db", "secret.key"} {
				text := must[[]byte](t)(os.ReadFile(filepath.Join(data, name)))
				if err := packed.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(text)), Mode: 0o600}); err != nil {
					t.Fatal(err)
				}
				if _, err := packed.Write(text); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(packed.Close(), compressed.Close()); err != nil {
				t.Fatal(err)
			}
			err = backup.Restore(t.Context(), &file, filepath.Join(t.TempDir(), "restored"))
			if err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("Restore() = %v, want the backup to be refused", err)
			}
		})
	}
}

// A refused backup leaves no files behind.
func TestRestore_RefusesIncompleteBackups(t *testing.T) {
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
		"no gzip":              {[]byte("hello"), "not a backup"},
		"half of one":          {good.Bytes()[:good.Len()/2], "unexpected EOF"},
		"all but the end":      {good.Bytes()[:good.Len()-4], "unexpected EOF"},
		"a path that climbs":   {pack("archives/../../x", tar.TypeReg, "x"), "a backup does not contain such a file"},
		"an absolute path":     {pack("/etc/x", tar.TypeReg, "x"), "a backup does not contain such a file"},
		"a link":               {pack("archives/x", tar.TypeSymlink, ""), "a backup does not contain such a file"},
		"another file":         {pack("passwd", tar.TypeReg, "x"), "a backup does not contain such a file"},
		"no database":          {pack("secret.key", tar.TypeReg, "x"), "damaged"},
		"a malformed database": {pack("jeton.db", tar.TypeReg, strings.Repeat("x", 4096)), "damaged"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		err := backup.Restore(t.Context(), bytes.NewReader(test.content), dir)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got error %v, want %q", name, err, test.says)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*")); len(left) > 0 {
			t.Errorf("%s: got files %v, want none", name, left)
		}
	}
	if err := backup.Restore(t.Context(), bytes.NewReader(good.Bytes()), w.DataDir); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("over a folder in use: got error %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.DataDir, "backup-*")); len(left) > 0 {
		t.Errorf("got files %v in the data folder, want none", left)
	}

	// Without the sealing key the server names what is missing.
	var keyless bytes.Buffer
	if err := backup.Write(t.Context(), w.DataDir, &keyless, backup.Options{WithoutKey: true}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "keyless")
	if err := backup.Restore(t.Context(), &keyless, dir); err != nil {
		t.Fatal(err)
	}
	if missing := server.MissingKey(dir); missing != filepath.Join(dir, "secret.key") {
		t.Errorf("got missing %q", missing)
	}
	key := must[[]byte](t)(os.ReadFile(filepath.Join(w.DataDir, "secret.key")))
	if err := os.WriteFile(filepath.Join(dir, "secret.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	listed := must[*function.ListNamespacesResponse](t)(w.over(dir).ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages()))
	if listed.TotalCount != 1 {
		t.Errorf("after the restore: got %d namespaces", listed.TotalCount)
	}
}
