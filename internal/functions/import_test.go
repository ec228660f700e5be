package functions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

const source = "api.scaleway.com"

func sourceID(n int) string { return fmt.Sprintf("50000000-0000-4000-8000-%012d", n) }

// accountOf returns a namespace with a function, a namespace token and a function token, a
// cron, a trigger, a domain and the alias of the source's hostname.
func accountOf() functions.Import {
	n := functions.ImportedNamespace{Keys: []string{"PEM"}}
	n.ID, n.Region, n.ProjectID, n.OrganizationID = sourceID(1), "fr-par", project.ID, project.OrganizationID
	n.Name, n.Slug, n.RegistryID, n.RegistryEndpoint, n.CreatedAt = "shop", "shopabcdefgh", sourceID(9), "rg.fr-par.scw.cloud/funcscwshopabcdefgh", start.Add(-time.Hour)
	f := functions.ImportedFunction{Secrets: []functions.ImportedSecret{{Key: "API", Hash: "$argon2id$api", Value: new(secret.New("value"))}}}
	f.ID, f.Name, f.Runtime, f.Handler, f.MemoryLimit, f.MaxScale, f.Timeout = sourceID(2), "pay", "node24", "handler.handle", 256, 20, time.Minute
	f.Privacy, f.HTTPOption, f.Sandbox, f.UpdatedAt, f.CreatedAt = functions.Private, functions.HTTPEnabled, "v2", start, start.Add(-time.Hour)
	f.Variables = map[string]string{"A": "b"}
	return functions.Import{
		Issuer: source, Namespace: n, Functions: []functions.ImportedFunction{f},
		Tokens:   []functions.ImportedToken{{ID: sourceID(3), NamespaceID: n.ID}, {ID: sourceID(4), FunctionID: f.ID, Description: "CI", ExpiresAt: start.Add(time.Hour)}},
		Crons:    []functions.Cron{{ID: sourceID(5), FunctionID: f.ID, Name: "nightly", Schedule: "0 3 * * *", Args: []byte(`{"a": 1}`)}},
		Triggers: []functions.Trigger{{ID: sourceID(6), FunctionID: f.ID, Name: "orders", SQS: &functions.SQSQueue{Queue: "orders", ProjectID: sourceID(8), Region: "fr-par"}}},
		Domains: []functions.ImportedDomain{
			{ID: sourceID(7), FunctionID: f.ID, Hostname: "pay.example.com", Ready: true},
			{FunctionID: f.ID, Hostname: "shopabcdefgh-pay.functions.fnc.fr-par.scw.cloud", Ready: true},
		},
	}
}

// run imports and returns the results as "kind name: action (reason)".
func (w *world) run(from functions.Import) []string {
	w.t.Helper()
	var results []functions.ImportResult
	err := w.store.Update(w.t.Context(), func(tx functions.Tx) (err error) {
		results, err = w.Import(tx, from)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	lines := make([]string, len(results))
	for n, r := range results {
		lines[n] = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Kind, r.Name, r.Action, r.Reason))
	}
	return lines
}

func (w *world) want(what string, from functions.Import, want ...string) {
	w.t.Helper()
	if got := w.run(from); !slices.Equal(got, want) {
		w.t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestImport_KeepsIDsAndIsIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	w.want("first run", from, "namespace shop create", "function pay create", "token  create", "token CI create", "cron nightly create", "trigger orders create",
		"domain pay.example.com create", "domain shopabcdefgh-pay.functions.fnc.fr-par.scw.cloud create")
	n, err := w.Namespace(t.Context(), paris, sourceID(1))
	if err != nil || !n.NeedsKeys() || n.Slug != "shopabcdefgh" || n.Foreign.Keys[0] != "PEM" || n.RegistryID != sourceID(9) {
		t.Errorf("namespace: got %+v, %v", n, err)
	}
	n.ProvisionKeys("own PEM", []byte{1}, "another registry", start)
	if n.RegistryID != sourceID(9) || n.Status != functions.Ready {
		t.Errorf("namespace with keys: got %+v, want the registry of the source", n)
	}
	w.put(n)
	f, err := w.Function(t.Context(), paris, sourceID(2))
	if err != nil || f.Status != functions.Created || f.DomainName != "shopabcdefgh-pay.functions.fr-par.test" || f.CPULimit != 140 || f.Secrets[0].Hash != "$argon2id$api" {
		t.Errorf("function: got %+v, %v", f, err)
	}
	token, err := w.Token(t.Context(), paris, sourceID(4))
	if err != nil || token.Adopted() || token.Issuer != source || token.Status != functions.Ready || !token.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("token: got %+v, %v", token, err)
	}
	domains, _, err := w.Domains(t.Context(), paris, functions.Filter{FunctionID: f.ID}, functions.Page{})
	if err != nil || len(domains) != 2 || domains[0].Status != functions.Ready {
		t.Errorf("domains: got %+v, %v", domains, err)
	}
	for n := range from.Functions[0].Secrets {
		from.Functions[0].Secrets[n].Value = nil // The earlier value is kept.
	}
	w.want("second run", from, "namespace shop unchanged", "function pay unchanged", "token  unchanged", "token CI unchanged", "cron nightly unchanged", "trigger orders unchanged",
		"domain pay.example.com unchanged", "domain shopabcdefgh-pay.functions.fnc.fr-par.scw.cloud unchanged")
	from.Functions[0].MemoryLimit = 512
	from.Namespace.Description = "changed"
	from.Crons[0].Schedule = "0 4 * * *"
	from.Triggers[0].Description = "changed"
	from.Tokens = from.Tokens[:1]
	w.want("changes of the source", from, "namespace shop update", "function pay update", "token  unchanged", "token CI revoke the source has deleted it",
		"cron nightly update", "trigger orders update", "domain pay.example.com unchanged", "domain shopabcdefgh-pay.functions.fnc.fr-par.scw.cloud unchanged")
	if _, err := w.Token(t.Context(), paris, sourceID(4)); !functions.IsNotFound(err) {
		t.Errorf("a token that the source has deleted: got %v, want not found", err)
	}
}

// A second import restores nothing that was revoked or deleted here.
func TestImport_RestoresNoRevokedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	from.Crons, from.Triggers, from.Domains = nil, nil, nil
	w.run(from)
	if _, err := w.DeleteToken(t.Context(), paris, sourceID(3)); err != nil {
		t.Fatal(err)
	}
	w.want("after the revocation", from, "namespace shop unchanged", "function pay unchanged", "token  skip it was revoked here", "token CI unchanged")
	if _, err := w.DeleteFunction(t.Context(), paris, sourceID(2)); err != nil {
		t.Fatal(err)
	}
	deleted := func() {
		w.t.Helper()
		w.want("after the deletion of the function", from, "namespace shop unchanged", "function pay skip it was deleted here after an earlier import",
			"token  skip it was revoked here", "token CI skip it was revoked here")
	}
	deleted()
	if err := w.store.Update(t.Context(), func(tx functions.Tx) error { return functions.RemoveFunction(tx, sourceID(2)) }); err != nil {
		t.Fatal(err)
	}
	deleted()
}

// The tokens of a function are revoked although the import does not update the function.
func TestImport_RevokesTokensOfFunctionsThatAreNotImported(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*functions.Import)
		want   []string
	}{
		"refused": {
			func(i *functions.Import) { i.Functions[0].MemoryLimit = 100 },
			[]string{"function pay refuse memory_limit"},
		},
		"renamed": {
			func(i *functions.Import) { i.Functions[0].Name = "paid" },
			[]string{"function paid refuse it has the name pay here, which cannot change"},
		},
		"gone at the source": {func(i *functions.Import) { i.Functions = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			from := accountOf()
			from.Crons, from.Triggers, from.Domains = nil, nil, nil
			w.run(from)
			n, err := w.Namespace(t.Context(), paris, sourceID(1))
			if err != nil {
				t.Fatal(err)
			}
			n.ProvisionKeys("own PEM", []byte{1}, "", start)
			w.put(n)
			own := w.newToken(functions.CreateToken{FunctionID: sourceID(2)})
			test.change(&from)
			from.Tokens = from.Tokens[:1]
			want := append(test.want, "token  unchanged", "token CI revoke the source has deleted it")
			got := w.run(from)[1:]
			if !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if _, err := w.Token(t.Context(), paris, sourceID(4)); !functions.IsNotFound(err) {
				t.Errorf("the token that the source has deleted: got %v, want not found", err)
			}
			if _, err := w.Token(t.Context(), paris, own.ID); err != nil {
				t.Errorf("the function's token of this server: %v", err)
			}
		})
	}
}

// An import without the list of tokens deletes none of them.
func TestImport_SkipTokensRevokesNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	from.Crons, from.Triggers, from.Domains = nil, nil, nil
	w.run(from)
	skipping := from
	skipping.Tokens, skipping.SkipTokens = nil, true
	w.want("without the tokens", skipping, "namespace shop unchanged", "function pay unchanged")
	w.want("with the tokens", from, "namespace shop unchanged", "function pay unchanged", "token  unchanged", "token CI unchanged")
}

func TestImport_MissingSecretsFailTheFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	from.Tokens, from.Crons, from.Triggers, from.Domains = nil, nil, nil, nil
	value := from.Functions[0].Secrets[0].Value
	from.Functions[0].Secrets[0].Value = nil
	from.Namespace.Secrets = []functions.ImportedSecret{{Key: "SHARED", Hash: "$argon2id$shared"}}
	const missing = "the values of secret environment variables are missing: "
	const help = ": set them, or import them with --secrets"
	w.want("without values", from, "namespace shop create "+missing+"SHARED"+help, "function pay create "+missing+"API, SHARED"+help)
	f, err := w.ImportCode(t.Context(), sourceID(2), strings.Repeat("a", 64), "", start)
	if err != nil || f.Status != functions.Failed || f.ErrorMessage != missing+"API, SHARED"+help || f.Archive == "" {
		t.Errorf("got %+v, %v, want status error that names the variables", f, err)
	}
	w.want("again", from, "namespace shop unchanged "+missing+"SHARED"+help, "function pay unchanged "+missing+"API, SHARED"+help)
	from.Functions[0].Secrets[0].Value, from.Namespace.Secrets[0].Value = value, value
	w.want("with values", from, "namespace shop update", "function pay update")
	if f, err = w.Function(t.Context(), paris, sourceID(2)); err != nil || f.Status != functions.Pending || f.Target != strings.Repeat("a", 64) {
		t.Errorf("got %+v, %v, want a deployment", f, err)
	}
}

// A value that was set here has another hash than the source's, also if it is the same.
func TestImport_KeepsSecretsThatWereSetHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	from.Tokens, from.Crons, from.Triggers, from.Domains = nil, nil, nil, nil
	value := from.Functions[0].Secrets[0].Value
	from.Functions[0].Secrets[0].Value = nil
	from.Namespace.Secrets = []functions.ImportedSecret{{Key: "SHARED", Hash: "$argon2id$shared"}}
	w.run(from)
	n, err := w.Namespace(t.Context(), paris, sourceID(1))
	if err != nil {
		t.Fatal(err)
	}
	n.ProvisionKeys("own PEM", []byte{1}, "", start)
	w.put(n)
	set := func(key string) []functions.SecretChange {
		return []functions.SecretChange{{Key: key, Value: new(secret.New("set here"))}}
	}
	if n, err = w.UpdateNamespace(t.Context(), paris, n.ID, functions.UpdateNamespace{Secrets: set("SHARED")}); err != nil {
		t.Fatal(err)
	}
	n.Status = functions.Ready
	w.put(n)
	f, err := w.UpdateFunction(t.Context(), paris, sourceID(2), functions.UpdateFunction{Secrets: set("API")})
	if err != nil {
		t.Fatal(err)
	}
	f.Status, f.ErrorMessage = functions.Ready, ""
	w.put(f)
	const kept = "secret environment variables differ from the source: "
	const help = ": their values here were kept; import them with --secrets to replace them"
	for range 2 {
		w.want("without values", from, "namespace shop unchanged "+kept+"SHARED"+help, "function pay unchanged "+kept+"API"+help)
		got, err := w.Function(t.Context(), paris, f.ID)
		if err != nil || got.Status != functions.Ready || len(got.Secrets) != 1 || string(got.Secrets[0].Sealed) != string(f.Secrets[0].Sealed) || got.Secrets[0].Hash != f.Secrets[0].Hash {
			t.Errorf("got %+v, %v, want the ready function with the value that was set here", got, err)
		}
		shared, err := w.Namespace(t.Context(), paris, n.ID)
		if err != nil || shared.Status != functions.Ready || len(shared.Secrets) != 1 || string(shared.Secrets[0].Sealed) != string(n.Secrets[0].Sealed) {
			t.Errorf("got %+v, %v, want the ready namespace with the value that was set here", shared, err)
		}
	}
	from.Namespace.Secrets = append(from.Namespace.Secrets, functions.ImportedSecret{Key: "NEW", Hash: "$argon2id$new"})
	const missing = "the values of secret environment variables are missing: NEW: set them, or import them with --secrets"
	w.want("with another variable", from, "namespace shop update "+missing+"; "+kept+"SHARED"+help, "function pay update "+missing+"; "+kept+"API"+help)
	if f, err = w.Function(t.Context(), paris, f.ID); err != nil || f.Status != functions.Failed || f.ErrorMessage != missing {
		t.Errorf("got %+v, %v, want an error message with the missing variable only", f, err)
	}
	from.Namespace.Secrets = from.Namespace.Secrets[:1]
	from.Functions[0].Secrets[0].Value, from.Namespace.Secrets[0].Value = value, value
	w.want("with values", from, "namespace shop update", "function pay update")
	if f, err = w.Function(t.Context(), paris, f.ID); err != nil || !strings.HasSuffix(string(f.Secrets[0].Sealed), "=value") {
		t.Errorf("got %+v, %v, want the value of the import", f, err)
	}
}

func TestImportCode_DeploysChangedCodeOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	w.run(from)
	digest := func(letter string) string { return strings.Repeat(letter, 64) }
	generation := int64(0)
	for n, step := range []struct {
		digest  string
		deploys bool
	}{{digest("a"), true}, {digest("a"), false}, {digest("b"), true}} {
		f, err := w.ImportCode(t.Context(), sourceID(2), step.digest, "", start.Add(time.Duration(n)))
		if err != nil || (f.Generation > generation) != step.deploys || f.Archive != step.digest {
			t.Errorf("step %d: got %+v, %v, want a deployment: %t", n, f, err, step.deploys)
		}
		generation = f.Generation
	}
	own := w.newFunction(w.readyNamespace("own"), "own")
	_, err := w.ImportCode(t.Context(), own.ID, digest("a"), "", start)
	wantCode(t, err, functions.PreconditionFailed)
}

func TestImport_RefusesWhatBreaksRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.readyNamespace("own")
	ownFunction := w.newFunction(own, "own")
	ownToken := w.newToken(functions.CreateToken{NamespaceID: own.ID})
	for name, test := range map[string]struct {
		change func(*functions.Import)
		want   string
	}{
		"memory":                    {func(i *functions.Import) { i.Functions[0].MemoryLimit = 100 }, "function pay refuse memory_limit: must be one of"},
		"runtime":                   {func(i *functions.Import) { i.Functions[0].Runtime = "cobol" }, "function pay refuse runtime: there is no such runtime"},
		"name":                      {func(i *functions.Import) { i.Functions[0].Name = "Pay" }, "function Pay refuse function name must consist"},
		"timeout":                   {func(i *functions.Import) { i.Functions[0].Timeout = 2 * time.Hour }, "function pay refuse timeout: must be from"},
		"ID of an own function":     {func(i *functions.Import) { i.Functions[0].ID = ownFunction.ID }, "function pay refuse a function with this ID exists"},
		"ID of an own token":        {func(i *functions.Import) { i.Tokens[0].ID = ownToken.ID }, "token  refuse a token with this ID exists"},
		"token of no function":      {func(i *functions.Import) { i.Tokens[1].FunctionID = ownFunction.ID }, "token CI refuse its function was not imported"},
		"token of an own namespace": {func(i *functions.Import) { i.Tokens[0].NamespaceID = own.ID }, "token  refuse its function was not imported"},
		"token of both":             {func(i *functions.Import) { i.Tokens[0].FunctionID = sourceID(2) }, "token  refuse function_id: only one of"},
		"cron":                      {func(i *functions.Import) { i.Crons[0].Schedule = "often" }, "cron nightly refuse schedule: "},
		"trigger":                   {func(i *functions.Import) { i.Triggers[0].SQS = nil }, "trigger orders refuse config: exactly one of"},
		"hostname":                  {func(i *functions.Import) { i.Domains[0].Hostname = "*.example.com" }, "domain *.example.com refuse hostname: "},
		"own domain":                {func(i *functions.Import) { i.Domains[0].Hostname = "x.functions.fr-par.test" }, "domain x.functions.fr-par.test refuse hostname: x.functions.fr-par.test is below"},
	} {
		from := accountOf()
		test.change(&from)
		var got []string
		err := w.store.Update(t.Context(), func(tx functions.Tx) error {
			results, err := w.Import(tx, from)
			if err != nil {
				return err
			}
			got = nil
			for _, r := range results {
				got = append(got, fmt.Sprintf("%s %s %s %s", r.Kind, r.Name, r.Action, r.Reason))
			}
			return errDiscard
		})
		if err != errDiscard || !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, test.want) }) { //nolint:errorlint // The same value.
			t.Errorf("%s: got\n%s\n%v, want %q", name, strings.Join(got, "\n"), err, test.want)
		}
	}
	for name, test := range map[string]struct {
		change func(*functions.Import)
		code   functions.Code
	}{
		"an own namespace": {func(i *functions.Import) { i.Namespace.ID = own.ID }, functions.AlreadyExists},
		"an own name":      {func(i *functions.Import) { i.Namespace.Name = own.Name }, functions.AlreadyExists},
		"an own slug":      {func(i *functions.Import) { i.Namespace.Slug = own.Slug }, functions.AlreadyExists},
		"a slug with dots": {func(i *functions.Import) { i.Namespace.Slug = "a.b" }, functions.InvalidArgument},
		"no region":        {func(i *functions.Import) { i.Namespace.Region = "" }, functions.InvalidArgument},
		"no issuer":        {func(i *functions.Import) { i.Issuer = "" }, functions.InvalidArgument},
		"no hash": {func(i *functions.Import) {
			i.Namespace.Secrets = []functions.ImportedSecret{{Key: "X"}}
		}, functions.InvalidArgument},
	} {
		from := accountOf()
		test.change(&from)
		err := w.store.Update(t.Context(), func(tx functions.Tx) error { _, err := w.Import(tx, from); return err })
		if functions.CodeOf(err) != test.code {
			t.Errorf("%s: got %v, want %s", name, err, test.code)
		}
	}
}

var errDiscard = fmt.Errorf("discarded")

func TestAcceptForeign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(accountOf())
	own := w.readyNamespace("own")
	accept := func(id string, accept bool) error {
		return w.store.Update(t.Context(), func(tx functions.Tx) error { _, err := functions.AcceptForeign(tx, id, accept); return err })
	}
	wantCode(t, accept(own.ID, false), functions.PreconditionFailed)
	for _, on := range []bool{false, true} {
		if err := accept(sourceID(1), on); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Namespace(t.Context(), paris, sourceID(1)); err != nil || n.Foreign.Refused == on {
			t.Errorf("accept %t: got %+v, %v", on, n.Foreign, err)
		}
	}
}

// What belongs to a function that was deleted here is skipped with it, and not an error.
func TestImport_SkipsWhatBelongsToDeletedFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	w.run(from)
	if _, err := w.DeleteFunction(t.Context(), paris, sourceID(2)); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Update(t.Context(), func(tx functions.Tx) error { return functions.RemoveFunction(tx, sourceID(2)) }); err != nil {
		t.Fatal(err)
	}
	from.Tokens = append(from.Tokens, functions.ImportedToken{ID: sourceID(40), FunctionID: sourceID(2), Description: "new"})
	const deleted = " skip its function was deleted here after an earlier import"
	w.want("after the deletion", from, "namespace shop unchanged", "function pay skip it was deleted here after an earlier import", "token  unchanged",
		"token CI skip it was revoked here", "token new"+deleted, "cron nightly"+deleted, "trigger orders"+deleted,
		"domain pay.example.com"+deleted, "domain shopabcdefgh-pay.functions.fnc.fr-par.scw.cloud"+deleted)
}

// A domain that was created again at the source has its new ID here, too.
func TestImport_FollowsDomainIDsOfTheSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	from.Tokens, from.Crons, from.Triggers = nil, nil, nil
	second := from.Functions[0]
	second.ID, second.Name = sourceID(20), "bill"
	from.Functions = append(from.Functions, second)
	from.Domains = from.Domains[:1]
	w.run(from)
	const unchanged = "namespace shop unchanged|function pay unchanged|function bill unchanged|"
	want := func(what, result, id, functionID string) {
		t.Helper()
		w.want(what, from, strings.Split(unchanged+"domain pay.example.com "+result, "|")...)
		found, _, err := w.Domains(t.Context(), paris, functions.Filter{FunctionID: functionID, Hostname: "pay.example.com"}, functions.Page{})
		if err != nil || len(found) != 1 || found[0].ID != id || found[0].FunctionID != functionID || found[0].Status != functions.Ready {
			t.Errorf("%s: got %+v, %v, want the domain %s of the function %s", what, found, err, id, functionID)
		}
	}
	from.Domains[0].ID = sourceID(70)
	want("a new ID", "update it has a new ID at the source, in place of "+sourceID(7), sourceID(70), sourceID(2))
	want("again", "unchanged", sourceID(70), sourceID(2))
	from.Domains[0].FunctionID = sourceID(20)
	want("another function", "update the source has moved it to another function", sourceID(70), sourceID(20))
	if err := w.store.Update(t.Context(), func(tx functions.Tx) error {
		d, err := tx.Domain(sourceID(70))
		if err != nil {
			return err
		}
		d.Imported = false // As if it had been created here.
		return tx.Put(d)
	}); err != nil {
		t.Fatal(err)
	}
	from.Domains[0].ID = sourceID(71)
	want("created here", "skip it was created here with another ID: delete it here to import it with that of the source", sourceID(70), sourceID(20))
}

func TestRemoveForeignKey_ForgetsAdoptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from := accountOf()
	from.Namespace.Keys = []string{"PEM", "second PEM"}
	from.Crons, from.Triggers, from.Domains = nil, nil, nil
	w.run(from)
	for n, id := range []string{sourceID(3), sourceID(4)} {
		if err := w.store.Update(t.Context(), func(tx functions.Tx) error {
			return functions.AdoptToken(tx, functions.Adoption{
				TokenID: id, NamespaceID: sourceID(1), Key: "PEM", Digest: functions.Digest{byte(n + 1)}, ExpiresAt: start.Add(time.Minute),
			}, start)
		}); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(id, fingerprint string) error {
		return w.store.Update(t.Context(), func(tx functions.Tx) error {
			_, err := functions.RemoveForeignKey(tx, id, fingerprint)
			return err
		})
	}
	wantCode(t, remove(w.readyNamespace("own").ID, functions.KeyFingerprint("PEM")), functions.PreconditionFailed)
	wantCode(t, remove(sourceID(1), functions.KeyFingerprint("none")), functions.NotFound)
	wantCode(t, remove(sourceID(1), functions.KeyFingerprint("PEM")[:7]), functions.InvalidArgument)
	if err := remove(sourceID(1), strings.ToUpper(functions.KeyFingerprint("PEM")[:12])); err != nil {
		t.Fatal(err)
	}
	n, err := w.Namespace(t.Context(), paris, sourceID(1))
	if err != nil || !slices.Equal(n.Foreign.Keys, []string{"second PEM"}) {
		t.Errorf("got %+v, %v, want the other key", n.Foreign, err)
	}
	for _, id := range []string{sourceID(3), sourceID(4)} {
		if token, err := w.Token(t.Context(), paris, id); err != nil || token.Adopted() || !token.AdoptedAt.IsZero() {
			t.Errorf("got %+v, %v, want a token that was not adopted", token, err)
		}
	}
	// The text with the removed key may have had an earlier expiry.
	from.Namespace.Keys = nil
	w.want("next import", from, "namespace shop unchanged", "function pay unchanged", "token  update", "token CI update")
	if token, err := w.Token(t.Context(), paris, sourceID(4)); err != nil || !token.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v, %v, want the expiry of the source", token, err)
	}
}
