package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
)

// roleArgument has this program play one of the parts of the measurement, in a
// process of its own, so that its CPU time can be told from the others'.
const roleArgument = "play"

// scene is what the parts must know of each other. It stands in a file.
type scene struct {
	// Instance is the path of the instance's socket.
	Instance string
	Token    string
	// Ports are those of the parts that listen.
	Ports map[string]int
}

const (
	privateHost = "private.localhost"
	publicHost  = "public.localhost"
	privateID   = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
	publicID    = "b570d8b5-572f-49c2-9821-f3e363d3f2dc"
	tokenID     = "c570d8b5-572f-49c2-9821-f3e363d3f2dc"
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
)

func loadScene(path string) (scene, error) {
	var s scene
	content, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(content, &s)
}

func play(role, path string) error {
	s, err := loadScene(path)
	if err != nil {
		return err
	}
	// The bare proxy gets what the gateway has.
	server.CollectLessOften()
	switch role {
	case "instance":
		return serve("unix", s.Instance, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("hello"))
		}))
	case "gateway":
		stopProfile, err := profile(os.Getenv("CPUPROFILE"))
		if err != nil {
			return err
		}
		defer stopProfile()
		l, err := net.Listen("tcp", s.address(role))
		if err != nil {
			return err
		}
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetUnencryptedHTTP2(true)
		front := &http.Server{Handler: gatewayHandler(s), ConnContext: gateway.ConnContext, Protocols: protocols}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		context.AfterFunc(ctx, func() { _ = front.Close() })
		if err := front.Serve(gateway.Strict(l, nil)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	case "proxy":
		return serve("tcp", s.address(role), bareProxy(s))
	}
	return fmt.Errorf("there is no part %q", role)
}

// profile writes a CPU profile of this process to a file, if one is named.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, pprof.StartCPUProfile(file)
}

func (s scene) address(role string) string { return fmt.Sprintf("127.0.0.1:%d", s.Ports[role]) }

func serve(network, address string, handler http.Handler) error {
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	return http.Serve(l, handler)
}

// gatewayHandler is the real gateway, with two functions and one instance that
// serves any number of calls at once: what is measured is the way in, and not
// the instances.
func gatewayHandler(s scene) http.Handler {
	table := gateway.NewTable()
	for _, f := range []functions.Function{
		{ID: privateID, DomainName: privateHost, Privacy: functions.Private}, {ID: publicID, DomainName: publicHost, Privacy: functions.Public},
	} {
		f.NamespaceID, f.Timeout, f.HTTPOption, f.Revision = namespaceID, time.Minute, functions.HTTPEnabled, &functions.Revision{ID: "r"}
		table.Apply(store.Change{Object: f})
	}
	table.Apply(store.Change{Object: functions.Token{
		ID: tokenID, FunctionID: privateID, Digest: functions.DigestOf(s.Token), ExpiresAt: time.Now().Add(time.Hour),
	}})
	g := &gateway.Gateway{
		Table: table, Keys: iam.NewDirectory(), Instances: oneInstance{&scale.Instance{ID: "instance", Address: engine.MustParseAddress("unix:" + s.Instance)}},
		Now: time.Now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	return g.Handler()
}

type oneInstance struct{ *scale.Instance }

func (o oneInstance) Acquire(context.Context, string) (*scale.Instance, error) {
	return o.Instance, nil
}
func (oneInstance) Release(*scale.Instance) {}
func (oneInstance) Discard(*scale.Instance) {}

// bareProxy is nothing but httputil.ReverseProxy, set up as well as it can be.
func bareProxy(s scene) http.Handler {
	return &httputil.ReverseProxy{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var dialer net.Dialer
				return dialer.DialContext(ctx, "unix", s.Instance)
			},
			DisableCompression: true, MaxIdleConnsPerHost: connections,
		},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = "http", "instance"
			p.SetXForwarded()
		},
		BufferPool: &gateway.Buffers{},
	}
}

// writePeers writes the configurations of nginx and HAProxy.
func writePeers(s scene, dir, publicKey string) error {
	nginx := fmt.Sprintf(`user root; worker_processes 2; daemon off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path %[1]s/nb; proxy_temp_path %[1]s/np; fastcgi_temp_path %[1]s/nf; uwsgi_temp_path %[1]s/nu; scgi_temp_path %[1]s/ns;
  upstream instance { server unix:%[2]s; keepalive 64; keepalive_requests 1000000; }
  server { listen %[3]s; location / { proxy_pass http://instance; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`, dir, s.Instance, s.address("nginx"))
	haproxy := fmt.Sprintf(`global
  maxconn 1024
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind %s
  http-request set-var(txn.token) req.hdr(X-Auth-Token)
  http-request deny unless { var(txn.token),jwt_verify("RS256","%s") 1 }
  default_backend instance
backend instance
  http-reuse always
  server instance unix@%s
`, s.address("haproxy-jwt"), publicKey, s.Instance)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(nginx), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "haproxy.cfg"), []byte(haproxy), 0o644)
}
