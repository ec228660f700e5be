//go:build linux

package kubetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// A Proxy is an API server that passes requests on to that of the cluster. It can hold and refuse
// requests that create Pods.
type Proxy struct {
	// Kubeconfig is a file for clients.
	Kubeconfig string

	// running ends with the proxy.
	running context.Context
	mu      sync.Mutex
	// hold makes requests wait until it is closed; nil for none.
	hold chan struct{}
	held int
	// refusals are the answers to the next requests.
	refusals []Refusal
	created  []int
}

// A Refusal is an answer with a status and a body.
type Refusal struct {
	Status int
	Body   string
	Header map[string]string
}

// NewProxy returns a proxy of the API server, which runs until the test ends.
func (n *Namespace) NewProxy() *Proxy {
	n.t.Helper()
	target, err := url.Parse(n.Config.Host)
	if err != nil {
		n.t.Fatal(err)
	}
	transport, err := rest.TransportFor(n.Config)
	if err != nil {
		n.t.Fatal(err)
	}
	p := &Proxy{Kubeconfig: filepath.Join(n.t.TempDir(), "kubeconfig"), running: n.t.Context()}
	passed := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if creates(r.Request) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.created = append(p.created, r.StatusCode)
			}
			return nil
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if creates(r) {
			if r = p.intercept(w, r); r == nil {
				return
			}
		}
		passed.ServeHTTP(w, r)
	}))
	n.t.Cleanup(func() {
		p.Release()
		server.CloseClientConnections()
		server.Close()
	})
	config := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q}}]
users: [{name: u, user: {}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
`, server.URL)
	if err := os.WriteFile(p.Kubeconfig, []byte(config), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return p
}

// creates reports whether a request creates a Pod.
func creates(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/pods")
}

// intercept holds a request, or answers it and returns nil. A held request reaches the API server
// even if its client has ended.
func (p *Proxy) intercept(w http.ResponseWriter, r *http.Request) *http.Request {
	p.mu.Lock()
	var refusal *Refusal
	if len(p.refusals) > 0 {
		refusal, p.refusals = &p.refusals[0], p.refusals[1:]
	}
	hold := p.hold
	if hold != nil && refusal == nil {
		p.held++
	}
	p.mu.Unlock()
	if refusal != nil {
		w.Header().Set("Content-Type", "application/json")
		for name, value := range refusal.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(refusal.Status)
		_, _ = io.WriteString(w, refusal.Body)
		return nil
	}
	if hold == nil {
		return r
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	<-hold
	r = r.WithContext(p.running)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

// Hold makes requests that create Pods wait.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold, p.held = make(chan struct{}), 0
}

// Held returns how many requests have waited since Hold.
func (p *Proxy) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

// Release passes held requests on.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		close(p.hold)
		p.hold = nil
	}
}

// Refuse makes the next requests that create Pods get answers.
func (p *Proxy) Refuse(refusals ...Refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusals = append(p.refusals, refusals...)
}

// Created returns the statuses of the requests that the API server has answered.
func (p *Proxy) Created() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]int(nil), p.created...)
}
