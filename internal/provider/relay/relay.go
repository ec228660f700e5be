package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// Config describes the providers.
type Config struct {
	// Own is Jeton's provider. Its path is required.
	Own Command
	// Rest is the official provider; the zero value if it is not installed.
	Rest Command
	// Logs receives the error output of the providers. It is required.
	Logs io.Writer
	// Attached is called once with the value of TF_REATTACH_PROVIDERS for the sources. It is required.
	Attached func(reattach string) error
	// Sources are the addresses that the relay serves.
	Sources []string
}

type relay struct {
	own, rest Command
	logs      io.Writer
	sessions  sync.WaitGroup

	mu     sync.Mutex
	merged *schemas
}

// Serve serves Terraform until ctx is done, and returns after all providers have ended.
func Serve(ctx context.Context, c Config) error {
	if c.Own.Path == "" || c.Logs == nil || c.Attached == nil {
		return errors.New("serve the relay: Own, Logs and Attached are required")
	}
	r := &relay{own: c.Own, rest: c.Rest, logs: c.Logs}
	attached, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]plugin.PluginSet{protocolSix: {pluginName: connection{}}},
		GRPCServer:       r.server,
		Logger:           hclog.NewNullLogger(),
		Test:             &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: attached, CloseCh: closed},
	})
	var err error
	select {
	case config := <-attached:
		var value string
		if value, err = reattach(config, c.Sources); err == nil {
			err = c.Attached(value)
		}
	case <-closed:
		return errors.New("serve the relay: the server did not start")
	}
	if err != nil {
		cancel()
	}
	<-closed
	r.sessions.Wait()
	return err
}

// reattach returns the value of TF_REATTACH_PROVIDERS.
func reattach(config *plugin.ReattachConfig, sources []string) (string, error) {
	if config == nil {
		return "", errors.New("serve the relay: no address")
	}
	type address struct{ Network, String string }
	type attachment struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool
		Addr            address
	}
	all := map[string]attachment{}
	for _, source := range sources {
		all[source] = attachment{
			Protocol: string(config.Protocol), ProtocolVersion: protocolSix, Pid: config.Pid, Test: true,
			Addr: address{config.Addr.Network(), config.Addr.String()},
		}
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("serve the relay: %w", err)
	}
	return string(encoded), nil
}

// server returns a server that passes all calls of the plugin protocol to sessions.
func (r *relay) server(options []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(options,
		grpc.ForceServerCodec(codec{}),
		grpc.StatsHandler(connections{r}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			s, ok := stream.Context().Value(sessionKey{}).(*session)
			if !ok {
				return errClosed
			}
			return s.serve(stream)
		}),
		grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.MaxSendMsgSize(math.MaxInt32),
	)...)
}

// known returns the merged schemas, or nil if they were not requested.
func (r *relay) known() *schemas {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.merged
}

func (r *relay) learn(merged *schemas) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.merged = merged
}

type sessionKey struct{}

// connections begins and ends the session of a connection.
type connections struct{ relay *relay }

// TagConn implements stats.Handler.
func (c connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	c.relay.sessions.Add(1)
	return context.WithValue(ctx, sessionKey{}, &session{relay: c.relay})
}

// HandleConn implements stats.Handler.
func (c connections) HandleConn(ctx context.Context, event stats.ConnStats) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if _, ended := event.(*stats.ConnEnd); !ok || !ended {
		return
	}
	go func() {
		defer c.relay.sessions.Done()
		s.close()
	}()
}

// TagRPC implements stats.Handler.
func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (connections) HandleRPC(context.Context, stats.RPCStats) {}
