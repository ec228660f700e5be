package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
)

// Each role is a process of its own, so that its CPU time can be measured.

func serveInstance(s setup) error { return harness.ServeHello(s.Instance) }

func serveProxy(s setup) error {
	return harness.Serve("tcp", s.address("proxy"), harness.BareProxy(s.Instance, connections, &gateway.Buffers{}))
}

func serveGateway(s setup) error {
	stopProfile, err := profile(os.Getenv("CPUPROFILE"))
	if err != nil {
		return err
	}
	defer stopProfile()
	l, err := net.Listen("tcp", s.address("gateway"))
	if err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	handler, err := gatewayHandler(s)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler, ConnContext: gateway.ConnContext, Protocols: protocols}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(gateway.Strict(l, nil)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// profile writes a CPU profile of this process to a file. It does nothing if path is
// "".
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

// gatewayHandler returns the real gateway with two functions and one instance that
// serves any number of concurrent calls, so that only the gateway is measured.
func gatewayHandler(s setup) (http.Handler, error) {
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
	g, err := gateway.New(gateway.Config{
		Table: table, Keys: iam.NewDirectory(), Instances: oneInstance{&scale.Instance{ID: "instance", Address: engine.MustParseAddress("unix:" + s.Instance)}},
		Now: time.Now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	return g.Handler(), nil
}

// oneInstance hands out the same instance for every call.
type oneInstance struct{ *scale.Instance }

func (o oneInstance) TryAcquire(string) *scale.Instance { return o.Instance }
func (o oneInstance) Acquire(context.Context, string) (*scale.Instance, error) {
	return o.Instance, nil
}
func (oneInstance) Release(*scale.Instance) {}
func (oneInstance) Discard(*scale.Instance) {}
