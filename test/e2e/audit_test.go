package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// audited returns the entries of the audit log after the first from, one line each.
func (w *world) audited(from int) []string {
	w.t.Helper()
	var lines []string
	err := audit.Read(filepath.Join(w.DataDir, audit.File), time.Time{}, func(e audit.Entry, _ []byte) error {
		who := strings.NewReplacer(w.AccessKey, "first", "127.0.0.1", "here").Replace(e.AccessKey + "@" + e.From)
		path := strings.Replace(e.Endpoint, "/functions/v1beta1/regions/{region}", "", 1)
		lines = append(lines, strings.Join([]string{who, path, e.Region, e.Object, http.StatusText(e.Status)}, "|"))
		if e.At.IsZero() || (e.RequestID == "") != (e.From == audit.Owner) {
			w.t.Errorf("got an entry without a time or a request ID: %+v", e)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return lines[from:]
}

func TestAuditLog_RecordsChangesAndRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.WrongKeys = 2 })
	n := w.namespace("audited")
	f := w.function(python(n.ID, "f"), nil)
	w.upload(f.ID, zipOf(t, pythonHandler("return 1")))
	secret := jetontest.SecretMark
	must[*function.Function](t)(w.UpdateFunction(&function.UpdateFunctionRequest{
		FunctionID: f.ID, SecretEnvironmentVariables: []*function.Secret{{Key: "S", Value: &secret}},
	}))
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: token.ID}))
	w.api(http.MethodPost, "/namespaces", `{"name":"audited"}`)
	w.api(http.MethodDelete, "/crons/"+unknownID, "")
	w.api(http.MethodGet, "/namespaces/"+n.ID, "")
	for range 4 {
		w.as(unknownID, http.MethodGet, "/functions/v1beta1/regions/fr-par/functions/"+f.ID, "")
	}
	w.as(w.SecretKey, http.MethodPatch, "/functions/v1beta1/regions/%0a/namespaces/%22%0a", "{}")
	key := w.Key("", iam.PrivateAccess)
	w.as(key.SecretKey, http.MethodGet, "/functions/v1beta1/regions/nl-ams/runtimes", "")
	must[admin.APIKey](t)(w.Admin.RevokeKey(t.Context(), key.AccessKey))
	want := []string{
		"first@here|POST /namespaces|fr-par|" + n.ID + "|OK",
		"first@here|POST /functions|fr-par|" + f.ID + "|OK",
		"first@here|GET /functions/{id}/upload-url|fr-par|" + f.ID + "|OK",
		"first@here|PUT /archives/{name}||" + f.ID + "|OK",
		"first@here|PATCH /functions/{id}|fr-par|" + f.ID + "|OK",
		"first@here|POST /tokens|fr-par|" + token.ID + "|OK",
		"first@here|DELETE /tokens/{id}|fr-par|" + token.ID + "|OK",
		"first@here|POST /namespaces|fr-par||Conflict",
		"first@here|DELETE /crons/{id}|fr-par|" + unknownID + "|Not Found",
		"@here|GET /functions/{id}|fr-par|" + f.ID + "|Unauthorized",
		"@here|GET /functions/{id}|fr-par|" + f.ID + "|Unauthorized",
		"first@here|PATCH /namespaces/{id}|||Bad Request",
		"@owner|POST /api-keys||" + key.AccessKey + "|OK",
		key.AccessKey + "@here|GET /runtimes|nl-ams||Forbidden",
		"@owner|DELETE /api-keys/{access_key}||" + key.AccessKey + "|OK",
	}
	if got := w.audited(0); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	content := must[[]byte](t)(os.ReadFile(filepath.Join(w.DataDir, audit.File)))
	for _, secret := range []string{w.SecretKey, key.SecretKey, token.Token, jetontest.SecretMark} {
		if strings.Contains(string(content), secret) {
			t.Error("the audit log contains a secret")
		}
	}
	// An option adds reads, which are appended to the existing log.
	w.restart(func(c *server.Config) { c.AuditReads = true })
	w.api(http.MethodGet, "/namespaces/"+n.ID, "")
	if got := w.audited(len(want)); !slices.Equal(got, []string{"first@here|GET /namespaces/{id}|fr-par|" + n.ID + "|OK"}) {
		t.Errorf("with reads: got %v", got)
	}
}
