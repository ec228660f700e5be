package leave_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/test/jetontest"
)

var handler = map[string]string{"handler.js": "module.exports.handle = () => 'ok';\n"}

func run(t *testing.T, config leave.RunnerConfig) *leave.Report {
	t.Helper()
	runner, err := leave.NewRunner(config)
	if err != nil {
		t.Fatal(err)
	}
	report, err := runner.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// problems returns the problems as "kind name: text".
func problems(r *leave.Report) []string {
	var all []string
	for _, p := range r.Problems {
		all = append(all, fmt.Sprintf("%s %s: %s", p.Kind, p.Name, p.Text))
	}
	return all
}

func wantProblem(t *testing.T, r *leave.Report, want string) {
	t.Helper()
	if !slices.ContainsFunc(problems(r), func(line string) bool { return strings.Contains(line, want) }) {
		t.Errorf("got problems\n%s\nwant %q", strings.Join(problems(r), "\n"), want)
	}
}

// imported returns an API client of the target for the imported project.
func imported(j *jetontest.Jeton) *function.API {
	return function.NewAPI(j.ClientOf(j.Key(sourceProject, "FunctionsFullAccess")))
}

func TestRun_ImportsRecordedShapes(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	source.namespace(2, "nl-ams")
	const functions = 130 // More than a page.
	for n := range functions {
		source.function(1, n, "fr-par", nil)
	}
	source.function(2, 0, "nl-ams", func(f *sourceFunction) { f.code = handler })
	source.function(2, 1, "nl-ams", func(f *sourceFunction) { f.memory = 100 })
	source.function(2, 2, "nl-ams", func(f *sourceFunction) { f.runtime = "node99" })
	source.function(2, 3, "nl-ams", func(f *sourceFunction) { f.hash = hashOf(t, jetontest.SecretMark) })
	source.function(2, 4, "nl-ams", func(f *sourceFunction) { f.hash = hashOf(t, "other") })
	source.add("tokens fr-par "+namespaceID(1), fmt.Sprintf(`{"token":"<hidden>","public_key":"","namespace_id":%q,"id":%q,"status":"ready","expires_at":null,"description":""}`, namespaceID(1), tokenID(1, 999)))
	source.add("tokens fr-par "+namespaceID(1), fmt.Sprintf(`{"token":"","public_key":"","namespace_id":%q,"id":%q,"status":"deleting","expires_at":null,"description":""}`, namespaceID(1), tokenID(1, 998)))
	// Every third request of a path is limited, and the first of every fifth path fails.
	paths := 0
	source.fail = func(_ string, before int) int {
		if before == 0 {
			paths++
			if paths%5 == 0 {
				return http.StatusServiceUnavailable
			}
		}
		if before%3 == 2 {
			return http.StatusTooManyRequests
		}
		return 0
	}
	target := jetontest.Start(t)
	config := leave.RunnerConfig{
		Source: source.source(), Target: target.Admin, DryRun: true,
		Secrets: leave.Secrets{"shop-2/pay-3": {"API": jetontest.SecretMark}, "shop-2/pay-4": {"API": "wrong"}},
	}
	planned := run(t, config)
	if projects, err := target.Admin.Projects(t.Context()); err != nil || len(projects) != 1 {
		t.Errorf("got projects %v, %v after the dry run, want it to change nothing", projects, err)
	}
	config.DryRun, config.Source = false, source.source()
	report := run(t, config)
	for _, r := range []*leave.Report{planned, report} {
		if got := r.Namespaces[0].Counts["function"].Created; got != functions {
			t.Errorf("dry run %t: got %d functions, want %d", r.DryRun, got, functions)
		}
		if got := r.Namespaces[0].Counts["token"].Created; got != 2*functions+1 {
			t.Errorf("dry run %t: got %d tokens, want %d", r.DryRun, got, 2*functions+1)
		}
		if got := r.Namespaces[1].Counts; got["function"].Created != 3 || got["function"].Refused != 2 || got["code"].Created != 1 || got["trigger"].Created != 3 || got["token"].Refused != 4 {
			t.Errorf("dry run %t: got %+v", r.DryRun, got)
		}
		for _, want := range []string{
			"code pay-7: the source has no code", "function pay-1: memory_limit: must be one of", "function pay-2: runtime: there is no such runtime",
			"function pay-4: the given value of API does not fit the hash", "function pay-4: the values of secret environment variables are missing: API",
			"token caller: its function was not imported",
		} {
			wantProblem(t, r, want)
		}
	}
	projects, err := target.Admin.Projects(t.Context())
	if err != nil || !slices.ContainsFunc(projects, func(p admin.Project) bool {
		return p.ID == sourceProject && p.OrganizationID == sourceOrganization && p.Name == "production"
	}) {
		t.Errorf("got projects %+v, %v, want that of the source", projects, err)
	}
	api := imported(target)
	f, err := api.WaitForFunction(&function.WaitForFunctionRequest{Region: "nl-ams", FunctionID: functionID(2, 0)})
	if err != nil || f.Status != function.FunctionStatusReady || f.MaxScale != 20 || f.Timeout.Seconds != 300 {
		t.Errorf("got %+v, %v, want a ready function with the settings of the source", f, err)
	}
	n, err := api.GetNamespace(&function.GetNamespaceRequest{NamespaceID: namespaceID(1)})
	if err != nil || n.RegistryEndpoint != "rg.fr-par.scw.cloud/funcscwshop1abcdefgh" || n.Tags[0] != "a" || n.CreatedAt.Year() != 2026 {
		t.Errorf("got %+v, %v, want the registry, tags and times of the source", n, err)
	}
	tokens, err := api.ListTokens(&function.ListTokensRequest{NamespaceID: new(namespaceID(1))})
	if err != nil || len(tokens.Tokens) != 1 || tokens.Tokens[0].ID != tokenID(1, 999) || tokens.Tokens[0].Token != "<hidden>" {
		t.Errorf("got %+v, %v, want the token of the namespace", tokens, err)
	}
	config.Source = source.source()
	again := run(t, config)
	for _, n := range again.Namespaces {
		for kind, count := range n.Counts {
			if count.Created+count.Updated+count.Revoked > 0 {
				t.Errorf("second run: %s %s: got %+v, want no changes", n.Name, kind, count)
			}
		}
	}
}

func TestRun_ContinuesAfterFailedDownloads(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	for n := range 3 {
		source.function(1, n, "fr-par", func(f *sourceFunction) { f.code = handler })
	}
	target := jetontest.Start(t)
	download := "/uploads/function-" + functionID(1, 1) + ".zip"
	source.fail = func(path string, _ int) int {
		if path == download {
			return http.StatusForbidden
		}
		return 0
	}
	config := leave.RunnerConfig{Source: source.source(), Target: target.Admin}
	report := run(t, config)
	if got := report.Namespaces[0].Counts["code"].Created; got != 2 || report.Failed() != 1 {
		t.Errorf("got %d archives and %d failures, want 2 and 1", got, report.Failed())
	}
	wantProblem(t, report, "code pay-1: the download was answered with status 403: run the command again")
	source.mu.Lock()
	source.truncate, source.fail = true, func(string, int) int { return 0 }
	source.mu.Unlock()
	report = run(t, config)
	wantProblem(t, report, "code pay-1: download the code: unexpected EOF")
	source.mu.Lock()
	source.truncate, source.code[functionID(1, 1)] = false, []byte("<html>not found</html>")
	source.mu.Unlock()
	report = run(t, config)
	wantProblem(t, report, "is not a zip archive")
	source.function(9, 1, "pl-waw", func(f *sourceFunction) { f.code = handler })
	source.mu.Lock()
	source.code[functionID(1, 1)] = source.code[functionID(9, 1)]
	source.mu.Unlock()
	report = run(t, config)
	if got := report.Namespaces[0].Counts["code"].Created; got != 1 || report.Failed() != 0 {
		t.Errorf("last run: got %d archives, %d failures, want 1 and 0", got, report.Failed())
	}
	if strings.Contains(strings.Join(problems(report), ""), "X-Amz-Signature") {
		t.Error("a problem contains a signed URL")
	}
}

// interrupted is a target that ends the run after some requests.
type interrupted struct {
	leave.Target
	left   int
	cancel context.CancelFunc
}

func (i *interrupted) Import(ctx context.Context, r admin.ImportRequest) (admin.ImportReport, error) {
	if i.left--; i.left < 0 {
		i.cancel()
		return admin.ImportReport{}, ctx.Err()
	}
	return i.Target.Import(ctx, r)
}

func TestRun_ContinuesAfterInterruption(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	for n := range 6 {
		source.namespace(n, "fr-par")
		source.function(n, 0, "fr-par", nil)
	}
	target := jetontest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config := leave.RunnerConfig{Source: source.source(), Target: &interrupted{target.Admin, 3, cancel}, Parallel: 1}
	runner, err := leave.NewRunner(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runner.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the run to end", err)
	}
	config.Target = target.Admin
	report := run(t, config)
	total := map[string]int{}
	for _, n := range report.Namespaces {
		total["created"] += n.Counts["namespace"].Created
		total["unchanged"] += n.Counts["namespace"].Unchanged
	}
	if total["created"] != 3 || total["unchanged"] != 3 {
		t.Errorf("got %v, want three namespaces of each run", total)
	}
}

// A namespace whose list of tokens is incomplete is not imported: the missing tokens would
// count as deleted.
func TestRun_RevokesOnlyAfterCompleteList(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	source.function(1, 0, "fr-par", nil)
	target := jetontest.Start(t)
	config := leave.RunnerConfig{Source: source.source(), Target: target.Admin}
	run(t, config)
	list := "tokens fr-par " + functionID(1, 0)
	all := source.lists[list]
	for name, change := range map[string]func(){
		"an error": func() { source.fail = failOn("/tokens", http.StatusForbidden) },
		"one token less": func() {
			source.fail = func(string, int) int { return 0 }
			source.lists[list] = append([]string{}, all[:1]...)
		},
	} {
		source.mu.Lock()
		change()
		source.mu.Unlock()
		report := run(t, config)
		tokens, err := target.Admin.Tokens(t.Context(), "", functionID(1, 0))
		want := 2
		if name == "one token less" {
			want = 1 // The source has one token less, and says so.
		}
		if err != nil || len(tokens) != want {
			t.Errorf("%s: got %d tokens, %v, want %d", name, len(tokens), err, want)
		}
		if name == "an error" {
			wantProblem(t, report, "list tokens: ")
		}
		source.mu.Lock()
		source.lists[list] = all
		source.mu.Unlock()
		source.mu.Lock()
		source.fail = func(string, int) int { return 0 }
		source.mu.Unlock()
		run(t, config)
	}
}

// A later run that leaves kinds out changes nothing of these kinds.
func TestRun_SkipKeepsEarlierImport(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	source.function(1, 0, "fr-par", func(f *sourceFunction) { f.code = handler })
	target := jetontest.Start(t)
	config := leave.RunnerConfig{Source: source.source(), Target: target.Admin}
	first := run(t, config)
	config.Skip = []string{leave.Tokens, leave.Crons, leave.Triggers, leave.Domains}
	for kind, count := range run(t, config).Namespaces[0].Counts {
		if count.Created+count.Updated+count.Revoked > 0 {
			t.Errorf("run with --skip: %s: got %+v, want no changes", kind, count)
		}
	}
	config.Skip = nil
	again := run(t, config)
	for _, kind := range []string{"token", "cron", "trigger", "domain", "function"} {
		before, now := first.Namespaces[0].Counts[kind], again.Namespaces[0].Counts[kind]
		if before.Created == 0 || now.Unchanged != before.Created {
			t.Errorf("%s: got %+v, then %+v, want all of them unchanged", kind, before, now)
		}
	}
}

// weakKey is a target that receives a key that the runner would refuse.
type weakKey struct{ leave.Target }

func (w weakKey) Import(ctx context.Context, r admin.ImportRequest) (admin.ImportReport, error) {
	r.Import.Namespace.Keys = []string{"PEM"}
	return w.Target.Import(ctx, r)
}

// The server does not rely on the checks of its client.
func TestRun_ServerRefusesInvalidKeys(t *testing.T) {
	t.Parallel()
	source := newScaleway(t)
	source.namespace(1, "fr-par")
	target := jetontest.Start(t)
	report := run(t, leave.RunnerConfig{Source: source.source(), Target: weakKey{target.Admin}})
	if wantProblem(t, report, "parse public key: not PEM"); report.Failed() != 1 {
		t.Errorf("got %d failures, want 1", report.Failed())
	}
}

func failOn(suffix string, status int) func(string, int) int {
	return func(path string, _ int) int {
		if strings.HasSuffix(path, suffix) {
			return status
		}
		return 0
	}
}

func TestOpen_RefusesInvalidProfiles(t *testing.T) {
	t.Parallel()
	for name, profile := range map[string]*scw.Profile{
		"no key":  {},
		"no URL":  {AccessKey: new("SCW11111111111111111"), SecretKey: new(sourceKey), APIURL: new("nowhere")},
		"bad key": {AccessKey: new("x"), SecretKey: new(sourceKey)},
	} {
		if s, err := leave.Open(leave.SourceConfig{Profile: profile}); err == nil {
			t.Errorf("%s: got %v, want an error", name, s)
		}
	}
}

func TestParseSecrets(t *testing.T) {
	t.Parallel()
	secrets, err := leave.ParseSecrets([]byte("shop: {A: b}\nshop/pay:\n  C: 'd: e'\n"))
	if err != nil || secrets["shop"]["A"] != "b" || secrets["shop/pay"]["C"] != "d: e" {
		t.Errorf("got %v, %v", secrets, err)
	}
	if _, err := leave.ParseSecrets([]byte("shop: [my-secret-value")); err == nil || strings.Contains(err.Error(), "my-secret") {
		t.Errorf("got %v, want an error without the content", err)
	}
}

func FuzzParseSecrets(f *testing.F) {
	f.Add([]byte("shop: {A: b}"))
	f.Add([]byte(`{"a":{"b":"c"}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := leave.ParseSecrets(content); err != nil && len(content) > 20 && strings.Contains(err.Error(), string(content)) {
			t.Error("the error contains the secrets")
		}
	})
}
