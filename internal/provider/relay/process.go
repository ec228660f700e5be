package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// handshake is that of Terraform with its providers.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  protocolSix,
	MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
	MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
}

const (
	protocolFive = 5
	protocolSix  = 6
	// pluginName is the name of the only plugin of a provider.
	pluginName = "provider"
)

// A Command is the program of a provider.
type Command struct {
	// Path is the path of the program.
	Path string
	// Environment is the environment of the process.
	Environment []string
}

// process is a running provider.
type process struct {
	client *plugin.Client
	conn   *grpc.ClientConn
	five   bool
}

// start starts a provider. It ends with stop.
func start(command Command, logs io.Writer) (*process, error) {
	program := exec.CommandContext(context.Background(), command.Path)
	program.Env = command.Environment
	plugins := plugin.PluginSet{pluginName: connection{}}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]plugin.PluginSet{protocolFive: plugins, protocolSix: plugins},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Cmd:              program,
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Logger:           hclog.NewNullLogger(),
		Stderr:           logs,
	})
	p, err := connect(client)
	if err != nil {
		client.Kill()
		return nil, fmt.Errorf("start the provider %s: %w", command.Path, err)
	}
	return p, nil
}

func connect(client *plugin.Client) (*process, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	dispensed, err := protocol.Dispense(pluginName)
	if err != nil {
		return nil, err
	}
	conn, ok := dispensed.(*grpc.ClientConn)
	if !ok {
		return nil, errors.New("it does not use gRPC")
	}
	return &process{client: client, conn: conn, five: client.NegotiatedVersion() == protocolFive}, nil
}

func (p *process) stop() {
	if p != nil {
		p.client.Kill()
	}
}

// path returns the path of a call in the protocol of the provider.
func (p *process) path(name string) string {
	if !p.five {
		return "/tfplugin6.Provider/" + name
	}
	if other, ok := callsOfFive[name]; ok {
		name = other
	} else if m := methods[name]; m.five != "" {
		name = m.five
	}
	return "/tfplugin5.Provider/" + name
}

// call sends a request and returns the response.
func (p *process) call(ctx context.Context, name string, request []byte) ([]byte, error) {
	var response frame
	err := p.conn.Invoke(ctx, p.path(name), &frame{request}, &response, grpc.ForceCodec(codec{}))
	return response.bytes, err
}

// forward sends a request and passes all responses on.
func (p *process) forward(name string, request []byte, to grpc.ServerStream) error {
	stream, err := p.conn.NewStream(to.Context(), &grpc.StreamDesc{ServerStreams: true}, p.path(name), grpc.ForceCodec(codec{}))
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&frame{request}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		var response frame
		if err := stream.RecvMsg(&response); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := to.SendMsg(&response); err != nil {
			return err
		}
	}
}

// connection makes go-plugin return the connection to a provider. It serves nothing itself:
// the server of the relay handles unknown services.
type connection struct{ plugin.NetRPCUnsupportedPlugin }

// GRPCClient implements plugin.GRPCPlugin.
func (connection) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// GRPCServer implements plugin.GRPCPlugin.
func (connection) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }
