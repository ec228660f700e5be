package provider_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/deploy"
	"github.com/jeton-dev/jeton/test/jetontest"
	"github.com/jeton-dev/jeton/test/official"
)

// elsewhere starts a server whose project, domain and keys are unknown to other servers.
func elsewhere(t *testing.T) *world {
	t.Helper()
	pair := must(token.GenerateKeyPair(token.KeyBits))
	return start(t, func(c *server.Config) {
		c.NewKeyPair = func() (token.KeyPair, error) { return pair, nil }
		c.NewID, c.Domain = uuid.NewString, "functions.fnc.{region}.scw.cloud"
	})
}

// sourceOf returns the account of an API key of a server.
func sourceOf(t *testing.T, w *world, projectID string) *leave.Source {
	t.Helper()
	key := w.Key(projectID, "FunctionsFullAccess")
	return must(leave.Open(leave.SourceConfig{Profile: &scw.Profile{
		AccessKey: &key.AccessKey, SecretKey: &key.SecretKey, APIURL: &w.APIURL, DefaultProjectID: &key.ProjectID,
	}}))
}

// use makes the command line use an API key for a project of a server.
func (c *cli) use(w *world, projectID string) {
	c.t.Helper()
	key := w.Key(projectID, "FunctionsFullAccess")
	for name, value := range map[string]string{
		"SCW_API_URL": w.front.URL, "SCW_ACCESS_KEY": key.AccessKey, "SCW_SECRET_KEY": key.SecretKey, "SCW_DEFAULT_PROJECT_ID": projectID,
		"SCW_DEFAULT_ORGANIZATION_ID": key.OrganizationID,
	} {
		c.env = append(c.env, name+"="+value)
	}
}

// The state of the official provider, of everything at the source, plans empty at the
// server that the account was imported to, and empty again at the source.
func TestLeave_OldStatePlansEmptyAfterImport(t *testing.T) {
	t.Parallel()
	source, target := elsewhere(t), start(t)
	objects := must(official.MakeObjects(t.Context(), source.api))
	state := must(official.State(objects))
	body := official.Requiring(ownAddress)
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		body += objects[name].Configuration(name)
	}
	runner := must(leave.NewRunner(leave.RunnerConfig{
		Source: sourceOf(t, source, source.ProjectID), Target: target.Admin, RequestKeys: true,
		Secrets: leave.Secrets{"full": {"HIDDEN": official.Secret, "OTHER": ""}, "full/full": {"HIDDEN": official.Secret}},
	}))
	report := must(runner.Run(t.Context()))
	if report.Failed() > 0 {
		t.Errorf("got problems %+v, want none", report.Problems)
	}
	c := target.commandLine(t, body)
	c.write("terraform.tfstate", state)
	c.use(target, source.ProjectID)
	target.front.Forget()
	c.expectEmptyPlan()
	for _, method := range []string{"POST", "PATCH", "DELETE"} {
		target.expectRequests(t, 0, method, "")
	}
	c.must("apply", "-no-color", "-auto-approve")
	if got, want := tokensIn(t, c.read("terraform.tfstate")), tokensIn(t, state); !maps.Equal(got, want) {
		t.Errorf("got %d tokens in the state, want the same %d as before", len(got), len(want))
	}
	// The way back: the state of the target plans empty at the source.
	c.use(source, source.ProjectID)
	c.expectEmptyPlan()
}

// extract unpacks an export.
func extract(t *testing.T, archive []byte, dir string) {
	t.Helper()
	reader := tar.NewReader(must(gzip.NewReader(bytes.NewReader(archive))))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, strings.TrimPrefix(header.Name, "jeton-export/"))
		content := must(io.ReadAll(reader))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// The exported configuration imports everything and changes nothing.
func TestExport_ConfigurationImportsEverything(t *testing.T) {
	t.Parallel()
	w := start(t)
	objects := must(official.MakeObjects(t.Context(), w.api))
	id := strings.TrimPrefix(objects[official.BareFunction].State["id"].(string), "fr-par/")
	if err := deploy.Upload(t.Context(), w.api, id, must(deploy.Archive(map[string]string{"handler.js": "module.exports.handle = () => 'x';\n"}))); err != nil {
		t.Fatal(err)
	}
	must(deploy.Uploaded(t.Context(), w.api, id, 20*time.Millisecond))
	var archive bytes.Buffer
	counts := must(leave.Export(t.Context(), leave.ExportConfig{Sources: []*leave.Source{sourceOf(t, w, "")}, To: &archive, Now: time.Now()}))
	if counts != (leave.Exported{Namespaces: 2, Functions: 2, Archives: 1, Tokens: 2}) {
		t.Errorf("got %+v", counts)
	}
	if bytes.Contains(must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(archive.Bytes()))))), []byte(jetontest.SecretMark)) {
		t.Error("the export contains the value of a secret variable")
	}
	c := w.commandLine(t, "")
	extract(t, archive.Bytes(), c.dir)
	c.write("secrets.auto.tfvars", `secrets = { full = { HIDDEN = "`+official.Secret+`", OTHER = "" }, "full/full" = { HIDDEN = "`+official.Secret+`" } }`)
	output := c.must("plan", "-no-color", "-out=plan")
	expectOnce(t, output, "11 to import, 0 to add")
	if !strings.Contains(output, "0 to destroy") {
		t.Errorf("got %s, want no replacement", output)
	}
	c.must("apply", "-no-color", "plan")
	c.expectEmptyPlan()
}
