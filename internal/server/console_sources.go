package server

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/live"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/usage"
)

// nodeSource implements nodes.Source with what this node has.
type nodeSource struct {
	parts

	logs functionLogs
}

func rangeOf(day bool) metrics.Range {
	if day {
		return metrics.Day
	}
	return metrics.Hour
}

// Of implements nodes.Source.
func (n nodeSource) Of(functionID string, day bool) api.MetricsSeries {
	return seriesOf(n.console.history.Of(functionID, rangeOf(day)))
}

// Sum implements nodes.Source.
func (n nodeSource) Sum(day bool, scope functions.Scope, namespaceID string) api.MetricsSeries {
	return seriesOf(n.console.history.Sum(rangeOf(day), n.console.view.Covers(scope, namespaceID)))
}

// Activity implements nodes.Source.
func (n nodeSource) Activity(ids []string) map[string]api.Activity {
	all := make(map[string]api.Activity, len(ids))
	for id, a := range n.console.history.Activity(ids) {
		all[id] = api.Activity(a)
	}
	return all
}

func seriesOf(s metrics.Series) api.MetricsSeries {
	return api.MetricsSeries{
		Start: s.Start, Step: int(s.Step / time.Second), Calls: s.Calls, Errors: s.Errors, ColdStarts: s.ColdStarts,
		P50: s.P50, P99: s.P99, Instances: s.Instances, Memory: s.Memory, MissingNodes: []string{},
	}
}

// State implements nodes.Source.
func (n nodeSource) State(ctx context.Context) api.ServerState { return n.state(ctx) }

// RunningBuild implements nodes.Source.
func (n nodeSource) RunningBuild(functionID string) (string, bool) {
	return n.reconciler.RunningBuild(functionID)
}

// NewestBuild implements nodes.Source.
func (n nodeSource) NewestBuild(functionID string) (string, error) {
	newest, _, err := n.logs.Build(functionID)
	return newest.Log, err
}

// Refused implements nodes.Source.
func (n nodeSource) Refused(tokenID string) (int64, time.Time) {
	revoked, _ := n.console.view.Revocation(tokenID)
	return revoked.Refused, revoked.LastRefused
}

// refusals counts the calls with revoked tokens. It implements gateway.Observer.
type refusals struct{ view *live.View }

// revokedReason is the reason of an outcome for a call with a revoked token.
const revokedReason = "revoked token"

// Begin implements gateway.Observer.
func (refusals) Begin(r *http.Request) *http.Request { return r }

// End implements gateway.Observer.
func (f refusals) End(_ *http.Request, o gateway.Outcome) {
	if o.Reason == revokedReason {
		f.view.Refused(o.TokenID, o.Ended)
	}
}

// consoleUsage implements api.Usage.
type consoleUsage struct {
	base *base
	uses *usage.Recorder
	keys *admin.Service
}

// Tokens implements api.Usage.
func (c consoleUsage) Tokens(ctx context.Context, ids []string) (map[string]time.Time, error) {
	c.uses.Flush(ctx)
	return c.base.store.LastUses(ctx, usage.Tokens, ids)
}

// Keys implements api.Usage.
func (c consoleUsage) Keys(ctx context.Context) ([]api.UsedKey, error) {
	all, err := c.keys.Keys(ctx, "")
	used := make([]api.UsedKey, len(all))
	for i, k := range all {
		used[i] = api.UsedKey(k)
	}
	return used, err
}

// auditSource implements api.AuditLog with the audit log of this server or its cluster.
type auditSource struct {
	read func(ctx context.Context, since time.Time, each func(audit.Entry, []byte) error) error
}

func newAuditSource(b *base) auditSource {
	if shared, ok := b.store.(*postgres.Store); ok {
		return auditSource{func(ctx context.Context, since time.Time, each func(audit.Entry, []byte) error) error {
			return audit.ReadRows(ctx, shared, since, each)
		}}
	}
	return auditSource{func(_ context.Context, since time.Time, each func(audit.Entry, []byte) error) error {
		return audit.Read(b.folder.path(audit.File), since, each)
	}}
}

// Entries implements api.AuditLog. It keeps only the entries of the page in memory.
func (a auditSource) Entries(ctx context.Context, q api.AuditQuery) ([]api.AuditEntry, bool, error) {
	// The log is read oldest first: the ring has the newest entries that match.
	ring, count := make([]api.AuditEntry, q.Skip+q.Size+1), 0
	err := a.read(ctx, q.Since, func(e audit.Entry, _ []byte) error {
		if matchesAudit(e, q) {
			ring[count%len(ring)] = api.AuditEntry(e)
			count++
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, false, err
	}
	found := []api.AuditEntry{}
	for i := q.Skip; i < min(count, q.Skip+q.Size); i++ {
		found = append(found, ring[(count-1-i)%len(ring)])
	}
	return found, count > q.Skip+q.Size, nil
}

func matchesAudit(e audit.Entry, q api.AuditQuery) bool {
	same := func(wanted, value string) bool { return wanted == "" || wanted == value }
	return same(q.AccessKey, e.AccessKey) && same(q.Object, e.Object) && same(q.From, e.From) &&
		strings.Contains(strings.ToLower(e.Endpoint), strings.ToLower(q.Endpoint)) &&
		(!q.Refused || e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// state implements api.Insight.State.
func (p parts) state(ctx context.Context) api.ServerState {
	c := p.config
	s := api.ServerState{
		Version: c.Version, StartedAt: p.console.began.UTC(), Database: "SQLite", Blobs: "folders", Isolation: p.isolation, Egress: c.Egress,
		MemoryBudget: c.Scale.Memory, Domain: c.Domain, APIAddress: p.listeners.endpoints.API, GatewayAddress: p.listeners.endpoints.Gateway,
		Toolchains: p.toolchainStates(), WarmPool: []api.WarmPoolState{}, WarmMemory: p.engine.WarmMemory(),
		Changes: p.store.Newest(), Behind: max(p.store.Newest()-p.followers.Applied(), 0),
		Streams: p.console.view.Streams(),
	}
	s.Certificates, s.CertificateCount = p.certificates.states(ctx, c)
	if c.Database != "" {
		s.Database = "PostgreSQL"
	}
	if c.Blobs != "" {
		s.Blobs = "S3"
	}
	if s.MemoryBudget == 0 {
		s.MemoryBudget = p.budget
	}
	for kind, n := range p.engine.WarmCounts() {
		s.WarmPool = append(s.WarmPool, api.WarmPoolState{Kind: kind, Count: n})
	}
	slices.SortFunc(s.WarmPool, func(a, b api.WarmPoolState) int { return strings.Compare(a.Kind, b.Kind) })
	return s
}

func (p parts) toolchainStates() []api.ToolchainState {
	states := []api.ToolchainState{}
	for _, language := range []string{runtime.Go, runtime.Node, runtime.Python, runtime.PHP, runtime.Rust} {
		state := api.ToolchainState{Language: language, Toolchain: p.serving(language)}
		if err := p.toolchain(language); err != nil {
			state.Problem = err.Error()
		}
		states = append(states, state)
	}
	return states
}

// states returns the certificates of the gateway's TLS port, with the time of their expiry,
// and the number of all. Those of an ACME authority are of functions, custom hostnames and the API.
func (s *certificateSources) states(ctx context.Context, c Config) (states []api.CertificateState, count int) {
	states = []api.CertificateState{}
	switch {
	case s == nil || s.hosts == nil && s.acme == nil:
		return states, 0
	case s.hosts == nil:
	case c.TLSCert != "":
		states = append(states, certificateState("file", c.TLSCert))
	case s.acme == nil:
		states = append(states, certificateState("local CA", filepath.Join(c.DataDir, certificate.AuthorityFile)))
	}
	count = len(states)
	if s.acme == nil {
		return states, count
	}
	// An error means that the storage cannot be read, which its next user reports.
	found, all, _ := s.acme.Stored(ctx, c.Now())
	for _, one := range found {
		states = append(states, api.CertificateState{Source: "ACME, " + hostOf(c.ACMEDirectory), Names: one.Names, NotAfter: one.NotAfter})
	}
	return states, count + all
}

// hostOf returns the host of a URL, or the text itself.
func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		return u.Host
	}
	return text
}

// certificateState describes the first certificate of a PEM file. A file that cannot be
// read has no names.
func certificateState(source, path string) api.CertificateState {
	state := api.CertificateState{Source: source, Names: []string{}}
	content, err := os.ReadFile(path)
	if err != nil {
		return state
	}
	if found, ok := certificate.Describe(content); ok {
		state.Names, state.NotAfter = found.Names, found.NotAfter
	}
	return state
}
