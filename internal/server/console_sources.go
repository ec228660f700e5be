package server

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/live"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/usage"
)

// consoleMetrics implements api.MetricsHistory.
type consoleMetrics struct{ history *metrics.History }

func rangeOf(day bool) metrics.Range {
	if day {
		return metrics.Day
	}
	return metrics.Hour
}

// Of implements api.MetricsHistory.
func (c consoleMetrics) Of(functionID string, day bool) api.MetricsSeries {
	return seriesOf(c.history.Of(functionID, rangeOf(day)))
}

// Sum implements api.MetricsHistory.
func (c consoleMetrics) Sum(day bool, covers func(string) bool) api.MetricsSeries {
	return seriesOf(c.history.Sum(rangeOf(day), covers))
}

// Activity implements api.MetricsHistory.
func (c consoleMetrics) Activity(ids []string) map[string]api.Activity {
	all := make(map[string]api.Activity, len(ids))
	for id, a := range c.history.Activity(ids) {
		all[id] = api.Activity(a)
	}
	return all
}

func seriesOf(s metrics.Series) api.MetricsSeries {
	return api.MetricsSeries{
		Start: s.Start, Step: int(s.Step / time.Second), Calls: s.Calls, Errors: s.Errors, ColdStarts: s.ColdStarts,
		P50: s.P50, P99: s.P99, Instances: s.Instances, Memory: s.Memory,
	}
}

// consoleBuilds implements api.Builds.
type consoleBuilds struct {
	dir     string
	running func(functionID string) (string, bool)
}

// Finished implements api.Builds.
func (c consoleBuilds) Finished(functionID string) (string, error) {
	text, _, err := output.BuildLog(c.dir, functionID)
	return text, err
}

// Running implements api.Builds.
func (c consoleBuilds) Running(functionID string) (string, bool) { return c.running(functionID) }

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
func (p parts) state(context.Context) api.ServerState {
	c := p.config
	s := api.ServerState{
		Version: c.Version, StartedAt: p.console.began.UTC(), Database: "SQLite", Blobs: "folders", Isolation: p.isolation, Egress: c.Egress,
		MemoryBudget: c.Scale.Memory, Domain: c.Domain, APIAddress: p.listeners.endpoints.API, GatewayAddress: p.listeners.endpoints.Gateway,
		Toolchains: p.toolchainStates(), WarmPool: []api.WarmPoolState{}, WarmMemory: p.engine.WarmMemory(),
		Certificates: p.certificates.states(c), Changes: p.store.Newest(), Behind: max(p.store.Newest()-p.followers.Applied(), 0),
		Streams: p.console.view.Streams(),
	}
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

// states returns the certificates of the gateway's TLS port, with the time of their
// expiry. Certificates of custom hostnames are not listed.
func (s *certificateSources) states(c Config) []api.CertificateState {
	states := []api.CertificateState{}
	if s == nil || s.hosts == nil {
		return states
	}
	if c.TLSCert != "" {
		states = append(states, certificateState("file", c.TLSCert))
	} else if s.acme == nil {
		states = append(states, certificateState("local CA", filepath.Join(c.DataDir, certificate.AuthorityFile)))
	}
	return states
}

// certificateState describes the first certificate of a PEM file. A file that cannot be
// read has no names.
func certificateState(source, path string) api.CertificateState {
	state := api.CertificateState{Source: source, Names: []string{}}
	content, err := os.ReadFile(path)
	if err != nil {
		return state
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return state
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return state
	}
	state.NotAfter, state.Names = parsed.NotAfter.UTC(), append([]string{}, parsed.DNSNames...)
	if len(state.Names) == 0 {
		state.Names = append(state.Names, parsed.Subject.CommonName)
	}
	return state
}
