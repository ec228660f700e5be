package leave_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

func newKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)}))
}

// sameNames adds two namespaces with one name, in two regions, each with one function.
func (s *scaleway) sameNames(secret string) {
	s.namespace(1, "fr-par")
	s.namespace(2, "nl-ams")
	s.lists["namespaces nl-ams"][0] = strings.Replace(s.lists["namespaces nl-ams"][0], "shop-2", "shop-1", 1)
	for n, region := range map[int]string{1: "fr-par", 2: "nl-ams"} {
		s.function(n, 1, region, func(f *sourceFunction) { f.hash = secret })
	}
}

func TestRun_RefusesAmbiguousNames(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.sameNames(hashOf(t, "value"))
	target := jetontest.Start(t)
	key := newKey(t)
	for name, test := range map[string]struct {
		keys    map[string]string
		secrets leave.Secrets
		want    string
	}{
		"key":                 {keys: map[string]string{"shop-1": key}, want: `public key of namespace "shop-1": the source has 2 with this name: use the ID instead: ` + namespaceID(1) + " (fr-par, project " + sourceProject + "), " + namespaceID(2)},
		"secret":              {secrets: leave.Secrets{"shop-1": {"API": "value"}}, want: `secrets of "shop-1": the source has 2 with this name`},
		"secret of functions": {secrets: leave.Secrets{"shop-1/pay-1": {"API": "value"}}, want: `secrets of "shop-1/pay-1": the source has 2 with this name: use the ID instead: ` + functionID(1, 1)},
	} {
		runner, err := leave.NewRunner(leave.RunnerConfig{Source: source.source(), Target: target.Admin, Keys: test.keys, Secrets: test.secrets})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := runner.Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	report := run(t, leave.RunnerConfig{
		Source: source.source(), Target: target.Admin, Keys: map[string]string{namespaceID(2): key},
		Secrets: leave.Secrets{functionID(1, 1): {"API": "value"}},
	})
	if report.Namespaces[0].Keys != 0 || report.Namespaces[1].Keys != 1 {
		t.Errorf("got %d and %d keys, want the key of the second namespace only", report.Namespaces[0].Keys, report.Namespaces[1].Keys)
	}
	missing := 0
	for _, p := range report.Problems {
		if strings.Contains(p.Text, "are missing: API") {
			missing++
		}
	}
	if missing != 1 {
		t.Errorf("got %q, want the value of the second function to be missing", problems(report))
	}
}

// An ID that is given together with the name has priority, whatever their order.
func TestRun_IDsHavePriorityOverNames(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	source.function(1, 1, "fr-par", func(f *sourceFunction) { f.hash = hashOf(t, "value") })
	target := jetontest.Start(t)
	report := run(t, leave.RunnerConfig{
		Source: source.source(), Target: target.Admin,
		Secrets: leave.Secrets{functionID(1, 1): {"API": "value"}, "shop-1/pay-1": {"API": "another", "OTHER": "x"}},
	})
	if wantProblem(t, report, "a value is given for OTHER"); strings.Contains(strings.Join(problems(report), ""), "does not fit") {
		t.Errorf("got %q, want the value for the ID", problems(report))
	}
}

func TestRun_RequestsEachKeyOnce(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	source.function(1, 1, "fr-par", nil)
	source.publicKey = newKey(t)
	target := jetontest.Start(t)
	config := leave.RunnerConfig{Source: source.source(), Target: target.Admin, RequestKeys: true}
	for range 3 {
		if report := run(t, config); report.Namespaces[0].Keys != 1 {
			t.Errorf("got %d keys, want 1", report.Namespaces[0].Keys)
		}
	}
	if source.issued != 1 || source.deleted != 1 {
		t.Errorf("three runs created %d tokens at the source and deleted %d, want 1", source.issued, source.deleted)
	}
	fingerprint := functions.KeyFingerprint(source.publicKey)
	if state, err := target.Admin.RemoveForeignKey(t.Context(), namespaceID(1), fingerprint); err != nil || state.Keys != 0 {
		t.Errorf("got %+v, %v, want no key", state, err)
	}
	run(t, config)
	if state, err := target.Admin.ForeignTokens(t.Context(), namespaceID(1)); err != nil || state.Keys != 1 || state.Fingerprints[0] != fingerprint || source.issued != 2 {
		t.Errorf("got %+v, %v and %d tokens at the source, want a new request after the removal", state, err, source.issued)
	}
}

// The code of imports counts like uploads.
func TestRun_RespectsStorageOfProject(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	for n := range 3 {
		source.function(1, n, "fr-par", func(f *sourceFunction) { f.code = handler })
	}
	size := int64(len(source.code[functionID(1, 0)]))
	target := jetontest.Start(t, func(c *server.Config) { c.Limits.Storage = 2*size + size/2 })
	report := run(t, leave.RunnerConfig{Source: source.source(), Target: target.Admin, Parallel: 3})
	if wantProblem(t, report, "quota exceeded: the code archives of a project can have at most"); report.Namespaces[0].Counts["code"].Created != 2 || report.Failed() != 1 {
		t.Errorf("got %d archives and %d failures, want 2 and 1", report.Namespaces[0].Counts["code"].Created, report.Failed())
	}
	api := imported(target)
	f, err := api.GetFunction(&function.GetFunctionRequest{Region: "fr-par", FunctionID: functionID(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: uint64(size)}); err == nil {
		t.Error("an upload is accepted, although the import has used the storage")
	}
}

func TestReport_EscapesControlCharacters(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	source.function(1, 1, "fr-par", nil)
	list := source.lists["tokens fr-par "+functionID(1, 1)]
	list[0] = strings.Replace(list[0], `"description":"caller"`, `"description":"\u001b[2Jgone\nshop\tfr-par\u202e\u009b1m"`, 1)
	target := jetontest.Start(t)
	report := run(t, leave.RunnerConfig{Source: source.source(), Target: target.Admin})
	var out bytes.Buffer
	if err := report.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e\u009b") || !strings.Contains(out.String(), `\x1b[2Jgone\x0ashop\x09fr-par\u202e\x9b1m`) {
		t.Errorf("got %q, want the control characters escaped", out.String())
	}
}

// Each owner of secret variables has its own entry, also if two namespaces have one name.
func TestExport_SecretsOfSameNamesDoNotCollide(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.sameNames(hashOf(t, "value"))
	files := exported(t, source)
	for _, id := range []string{functionID(1, 1), functionID(2, 1)} {
		if !strings.Contains(files["functions.tf"], `var.secrets["`+id+`"]["API"]`) || !strings.Contains(files["secrets.auto.tfvars.example"], `"`+id+`" = {`) {
			t.Errorf("the secrets of %s are not in the export: %s\n%s", id, files["functions.tf"], files["secrets.auto.tfvars.example"])
		}
	}
	single := newScaleway(t)
	single.namespace(1, "fr-par")
	single.function(1, 1, "fr-par", func(f *sourceFunction) { f.hash = hashOf(t, "value") })
	if files := exported(t, single); !strings.Contains(files["functions.tf"], `var.secrets["shop-1/pay-1"]["API"]`) {
		t.Errorf("got %s, want the name as key", files["functions.tf"])
	}
}

// exported returns the files of an export.
func exported(t *testing.T, source *scaleway) map[string]string {
	t.Helper()
	var archive bytes.Buffer
	if _, err := leave.Export(t.Context(), leave.ExportConfig{Sources: []*leave.Source{source.source()}, To: &archive, Now: time.Unix(0, 0)}); err != nil {
		t.Fatal(err)
	}
	compressed, err := gzip.NewReader(&archive)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for reader := tar.NewReader(compressed); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(header.Name, "jeton-export/")] = string(content)
	}
}
