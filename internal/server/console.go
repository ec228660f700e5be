package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/console"
	"github.com/jeton-dev/jeton/internal/console/nodes"
	"github.com/jeton-dev/jeton/internal/live"
	"github.com/jeton-dev/jeton/internal/metrics"
)

const (
	// consoleStreams is the maximum number of open streams of the console, and
	// keyStreams that of one API key.
	consoleStreams = 512
	keyStreams     = 64
)

// historyFile is the file of the data folder with the history of metrics.
const historyFile = "metrics.history"

// consoleSources are what the console shows beside the objects.
type consoleSources struct {
	view *live.View
	// history is nil until the instances are opened.
	history *metrics.History
	began   time.Time
}

func newConsoleSources(now func() time.Time) (*consoleSources, error) {
	view, err := live.New(live.Config{Now: now, Streams: consoleStreams, KeyStreams: keyStreams})
	if err != nil {
		return nil, err
	}
	return &consoleSources{view: view, began: now()}, nil
}

// openHistory makes the console show the metrics of instances.
func (o *observability) openHistory(b *base, i *instances) (err error) {
	o.console.history, err = metrics.NewHistory(metrics.HistoryConfig{
		File: b.folder.path(historyFile), Failed: func(err error) { b.log.Warn("the history of metrics is not kept", "error", err) },
		Metrics: o.metrics, Memory: i.memory, Now: b.config.Now, Sampled: o.console.view.Sampled,
		Instances: func() map[string]int {
			all := map[string]int{}
			for _, c := range i.scaler.Counts() {
				all[c.RevisionID] = c.Starting + c.Idle + c.Busy
			}
			return all
		},
	})
	return err
}

// withConsole returns a handler that serves the console and, at all other paths, the API.
func (p parts) withConsole(handler http.Handler) (http.Handler, error) {
	c, err := console.New(console.Config{
		API: handler, AsKey: api.AsKey, Sealer: p.sealer, Now: p.clock.Now,
		Secure: func(r *http.Request) bool { return usedHTTPS(r, p.config.TrustedProxies.Contains) },
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if console.Handles(r.URL.Path) {
			c.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}), nil
}

// usedHTTPS reports whether a client has used HTTPS, according to the connection or to the
// header of a trusted proxy.
func usedHTTPS(r *http.Request, trusted func(netip.Addr) bool) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	values := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	return err == nil && trusted(peer.Addr()) && strings.TrimSpace(values[len(values)-1]) == "https"
}

// newNodes returns what the console shows of all nodes, and adds the routes of other nodes.
func (p parts) newNodes(logs functionLogs) (*nodes.Nodes, error) {
	c := nodes.Config{Source: nodeSource{p, logs}, Members: p.node, Now: p.config.Now}
	if p.peers != nil {
		c.Do = p.peers.Do
	}
	all, err := nodes.New(c)
	if err == nil && p.peers != nil {
		all.Routes(p.peers.Handle)
	}
	return all, err
}

// insight returns the sources of the routes of the console.
func (p parts) insight(keys *admin.Service, all *nodes.Nodes) *api.Insight {
	in := &api.Insight{
		View: p.console.view, Metrics: all, Builds: all, Refused: all.Refused,
		Audit: newAuditSource(p.base), Usage: consoleUsage{p.base, p.uses, keys}, State: all.State, Calls: p.gateway.Handler(),
		Version: p.config.Version, HTTPPort: portOf(p.listeners.gateway),
	}
	if p.listeners.gatewayTLS != nil {
		in.HTTPSPort = portOf(p.listeners.gatewayTLS)
	}
	if public, err := url.Parse(p.config.GatewayURL); err == nil && p.config.GatewayURL != "" {
		in.HTTPPort, in.HTTPSPort = publicPorts(public)
	}
	return in
}

// publicPorts returns the ports of functions behind a public URL of the gateway; 0 for none.
func publicPorts(u *url.URL) (plain, encrypted int) {
	port, err := strconv.Atoi(u.Port())
	switch {
	case u.Scheme == "https" && err != nil:
		return 0, 443
	case u.Scheme == "https":
		return 0, port
	case err != nil:
		return 80, 0
	}
	return port, 0
}
