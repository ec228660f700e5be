package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/jeton-dev/jeton/bench/measure"
)

var startRounds = measure.Sized(15, 1)

// providerStart measures the time from the start of the provider's process to
// its answer with the schema, as Terraform asks for it, beside an empty one.
func (b *bench) providerStart(ctx context.Context) ([]measure.Result, error) {
	empty, err := b.buildEmpty(ctx)
	if err != nil {
		return nil, err
	}
	programs := []string{filepath.Join(b.root, "bin", "terraform-provider-scaleway"), empty}
	var wall, cpu [2][]float64
	for round := range startRounds + 1 {
		for side, program := range programs {
			w, c, err := startProvider(ctx, program)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
			}
			if round > 0 { // the first reads the files from the disk
				wall[side], cpu[side] = append(wall[side], w), append(cpu[side], c)
			}
		}
	}
	const note = "from the start of the process to the schema, beside an empty framework provider"
	return []measure.Result{
		measure.Compare("provider-start", "ms", "<= 1.15", note, wall[0], wall[1]),
		measure.Compare("provider-start-cpu", "ms of CPU", "<= 1.15", note, cpu[0], cpu[1]),
	}, nil
}

// startProvider returns the milliseconds of wall and of CPU time that a provider
// takes.
func startProvider(ctx context.Context, program string) (wall, cpu float64, err error) {
	command := exec.CommandContext(ctx, program)
	began := time.Now()
	client := plugin.NewClient(&plugin.ClientConfig{
		// Those of Terraform's plugin protocol.
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey: "TF_PLUGIN_MAGIC_COOKIE", MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		VersionedPlugins: map[int]plugin.PluginSet{6: {"provider": schemaPlugin{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Cmd:              command, Logger: hclog.NewNullLogger(), AutoMTLS: true,
	})
	defer client.Kill()
	connection, err := client.Client()
	if err != nil {
		return 0, 0, err
	}
	dispensed, err := connection.Dispense("provider")
	if err != nil {
		return 0, 0, err
	}
	ask, ok := dispensed.(func(context.Context) error)
	if !ok {
		return 0, 0, fmt.Errorf("the plugin is a %T", dispensed)
	}
	if err := ask(ctx); err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	used, err := measure.CPUTime(command.Process.Pid)
	return float64(took.Microseconds()) / 1000, float64(used.Microseconds()) / 1000, err
}

// schemaPlugin asks a provider for its schema, and does not read it.
type schemaPlugin struct{ plugin.NetRPCUnsupportedPlugin }

// GRPCServer implements plugin.GRPCPlugin.
func (schemaPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is a client")
}

// GRPCClient implements plugin.GRPCPlugin.
//
//nolint:unparam // The interface has the error.
func (schemaPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return func(ctx context.Context) error {
		var request, schema []byte
		err := connection.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", &request, &schema,
			grpc.ForceCodec(unread{}), grpc.MaxCallRecvMsgSize(64<<20))
		if err == nil && len(schema) == 0 {
			err = errors.New("there is no schema")
		}
		return err
	}, nil
}

// unread leaves messages as the bytes that they are.
type unread struct{}

var _ encoding.Codec = unread{}

func (unread) Marshal(v any) ([]byte, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("a %T is no message", v)
	}
	return *message, nil
}

func (unread) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("a %T is no message", v)
	}
	*message = data
	return nil
}

func (unread) Name() string { return "proto" }
