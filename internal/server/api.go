package server

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

// apiHandler returns the handler of the API. Closing stopping ends the requests that
// follow logs.
func (p parts) apiHandler(service *functions.Service, projects *admin.Service, reservations *blob.Reservations, stopping <-chan struct{}) (http.Handler, error) {
	c := p.config
	logs, err := newFunctionLogs(p)
	if err != nil {
		return nil, err
	}
	all, err := p.newNodes(logs)
	if err != nil {
		return nil, err
	}
	a, err := api.New(api.Config{
		Service: service, Keys: settledKeys{p.directory, p.settled}, Projects: projects, Attempts: p.attempts, Archives: p.archives, Reservations: reservations,
		Runtimes: runtime.All(), Toolchain: p.serving, URLKey: p.urlKey,
		URL: c.APIURL, Trusted: c.TrustedProxies.Contains,
		Logs: logs, Stopping: stopping, Admin: projects.Handler(p.log, describeAdmin), Audit: auditLog{p.folder.path(audit.File)}, Addresses: p.addresses(), Version: c.Version, PublicKeys: p.keys.Document,
		Now: p.clock.Now, NewID: c.NewID, Log: p.log, Gate: p.gate, Observer: p.requestObserver(),
		Insight: p.insight(projects, all),
	})
	if err != nil {
		return nil, err
	}
	return a.Handler(), nil
}

// newService returns the operations that the API and imports share.
func (p parts) newService() (*functions.Service, error) {
	c := p.config
	return functions.NewService(functions.Config{
		Store: store.Functions(p.store), Runtimes: catalogue{strict: c.StrictRuntimes}, Minter: token.NewMinter(p.sealer),
		Hasher: make(hasher, concurrentHashes), Sealer: p.sealer, Limits: c.Limits, Domain: c.Domain, APIHost: c.apiHost(), Names: hostnameLookup(c),
		Now: c.Now, NewID: c.NewID, NewSuffix: newSuffix,
	})
}

// catalogue implements functions.Runtimes. If strict is set, it refuses the runtimes
// that the real service refuses.
type catalogue struct{ strict bool }

// Runtime implements functions.Runtimes.
func (c catalogue) Runtime(name string) (functions.RuntimeInfo, bool) {
	r, ok := runtime.Lookup(name)
	info := functions.RuntimeInfo{
		Name: r.Name, Language: r.Language, DefaultHandler: r.DefaultHandler,
	}
	if c.strict && (r.Status == runtime.EndOfSupport || r.Status == runtime.EndOfLife) {
		info.NoCreate = r.StatusMessage
	}
	if c.strict && r.Status == runtime.EndOfLife {
		info.NoUpdate = r.StatusMessage
	}
	return info, ok
}

// CheckHandler implements functions.Runtimes.
func (c catalogue) CheckHandler(language, handler string) error {
	_, err := runtime.ParseHandler(language, handler)
	return err
}

// hasher implements functions.Hasher with the parameters of Scaleway's hashes, from
// recorded traffic. Its capacity bounds the concurrent hashes, since one takes 64 MiB
// of memory.
type hasher chan struct{}

const concurrentHashes = 2

// Hash implements functions.Hasher.
func (h hasher) Hash(ctx context.Context, value secret.String) (string, error) {
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return argon2id.CreateHash(value.Reveal(), &argon2id.Params{
		Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32,
	})
}

// newSuffix returns eight random letters and digits.
func newSuffix() string { return strings.ToLower(rand.Text()[:8]) }

// describeAdmin makes the audit log name the endpoint of an admin request over the API.
func describeAdmin(r *http.Request, o admin.Outcome) {
	api.Describe(r.Context(), o.Endpoint, o.Object)
}

// auditLog implements api.Audit.
type auditLog struct{ path string }

// Entries implements api.Audit.
func (l auditLog) Entries(ctx context.Context, since time.Time, follow bool, report func([]byte) error) error {
	each := func(_ audit.Entry, asJSON []byte) error { return report(asJSON) }
	if follow {
		return audit.Follow(ctx, l.path, since, each)
	}
	return audit.Read(l.path, since, each)
}

// addresses returns the public addresses of the gateway.
func (p parts) addresses() api.Addresses {
	_, port, _ := net.SplitHostPort(p.listeners.gateway.Addr().String())
	found := api.Addresses{Gateway: p.config.GatewayURL, GatewayPort: port, Paths: p.config.GatewayPaths}
	if p.listeners.gatewayTLS != nil {
		found.TLSPort = strconv.Itoa(portOf(p.listeners.gatewayTLS))
	}
	return found
}
