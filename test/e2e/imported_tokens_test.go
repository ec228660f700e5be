package e2e_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/token"
)

// importedTokens is the number of tokens of TestImportedTokens_UnderLoad.
const importedTokens = 1000

// aToken is a token at the source. revoked is set after its deletion at the target was
// answered, revoking before the deletion is requested.
type aToken struct {
	id, text          string
	revoking, revoked atomic.Bool
}

// Callers use a thousand tokens of the source while imports run and half of the tokens are
// revoked. No token is refused before its revocation begins, and none is admitted after
// its answer.
func TestImportedTokens_UnderLoad(t *testing.T) {
	t.Parallel()
	pair := must[token.KeyPair](t)(token.GenerateKeyPair(token.KeyBits))
	source := newWorld(t, func(c *server.Config) {
		c.NewKeyPair = func() (token.KeyPair, error) { return pair, nil }
		c.NewID = uuid.NewString
	})
	target := newWorld(t)
	n := source.namespace("shop")
	f := source.function(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: "pay", Runtime: "node22", Privacy: function.FunctionPrivacyPrivate},
		map[string]string{"handler.js": "module.exports.handle = () => 'ok';\n"})
	tokens := make([]*aToken, importedTokens)
	var issuing errgroup.Group
	issuing.SetLimit(8)
	for i := range tokens {
		issuing.Go(func() error {
			issued, err := source.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})
			if err == nil {
				tokens[i] = &aToken{id: issued.ID, text: issued.Token}
			}
			return err
		})
	}
	if err := issuing.Wait(); err != nil {
		t.Fatal(err)
	}
	load := &importLoad{t: t, source: source, target: target, host: f.DomainName, tokens: tokens}
	load.importAll(t.Context())
	load.api = function.NewAPI(target.ClientOf(target.Key(n.ProjectID, "FunctionsFullAccess")))
	target.API = load.api
	if settled := target.settled(f.ID); settled.Status != function.FunctionStatusReady {
		t.Fatalf("got %+v, want a ready function", settled)
	}
	load.run()
	t.Logf("%d calls with %d tokens: %d admitted, %d denied after the revocation, %d imports, %d revocations",
		load.calls.Load(), importedTokens, load.admitted.Load(), load.denied.Load(), load.imports.Load(), load.revocations.Load())
	if load.wronglyRefused.Load() != 0 || load.wronglyAdmitted.Load() != 0 {
		t.Errorf("%d calls were refused wrongly, %d admitted after the revocation, want 0", load.wronglyRefused.Load(), load.wronglyAdmitted.Load())
	}
	if load.imports.Load() < 2 || load.admitted.Load() < importedTokens || load.denied.Load() == 0 {
		t.Error("the load has proved nothing: too few calls or imports")
	}
}

type importLoad struct {
	t              *testing.T
	source, target *world
	api            *function.API
	host           string
	tokens         []*aToken

	calls, admitted, denied, imports, revocations atomic.Int64
	wronglyRefused, wronglyAdmitted               atomic.Int64
}

func (l *importLoad) importAll(ctx context.Context) {
	account := must[*leave.Source](l.t)(leave.Open(leave.SourceConfig{Profile: &scw.Profile{
		AccessKey: &l.source.AccessKey, SecretKey: &l.source.SecretKey, APIURL: &l.source.APIURL, DefaultProjectID: &l.source.ProjectID,
	}}))
	runner := must[*leave.Runner](l.t)(leave.NewRunner(leave.RunnerConfig{Source: account, Target: l.target.Admin, RequestKeys: true}))
	report, err := runner.Run(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil || report.Failed() > 0 {
		l.t.Errorf("import: got %+v, %v", report, err)
	}
	l.imports.Add(1)
}

// run calls with every token several times, in random order.
func (l *importLoad) run() {
	ctx, stop := context.WithCancel(l.t.Context())
	var background, callers sync.WaitGroup
	background.Go(func() {
		for ctx.Err() == nil {
			l.importAll(ctx)
		}
	})
	background.Go(func() {
		for _, n := range rand.Perm(len(l.tokens))[:len(l.tokens)/2] {
			if ctx.Err() != nil {
				return
			}
			l.revoke(l.tokens[n])
		}
	})
	for range 8 {
		callers.Go(func() {
			for range 3 {
				for _, n := range rand.Perm(len(l.tokens))[:len(l.tokens)/2] {
					l.call(l.tokens[n])
				}
			}
		})
	}
	callers.Wait()
	stop()
	background.Wait()
	// After the last import.
	for _, used := range l.tokens {
		l.call(used)
	}
}

func (l *importLoad) revoke(used *aToken) {
	used.revoking.Store(true)
	if _, err := l.api.DeleteToken(&function.DeleteTokenRequest{TokenID: used.id}); err != nil {
		l.t.Errorf("revoke: %v", err)
		return
	}
	used.revoked.Store(true)
	l.revocations.Add(1)
}

func (l *importLoad) call(used *aToken) {
	revoked := used.revoked.Load()
	request := must[*http.Request](l.t)(http.NewRequest(http.MethodGet, l.target.GatewayURL, nil))
	request.Host = l.host
	request.Header.Set("X-Auth-Token", used.text)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		l.t.Errorf("call: %v", err)
		return
	}
	response.Body.Close()
	l.calls.Add(1)
	switch {
	case response.StatusCode == http.StatusOK:
		l.admitted.Add(1)
		if revoked {
			l.wronglyAdmitted.Add(1)
		}
	case revoked:
		l.denied.Add(1)
	case !used.revoking.Load():
		l.wronglyRefused.Add(1)
		l.t.Errorf("got status %d for a valid token", response.StatusCode)
	}
}
