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

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/bench/terraform"
)

var startRounds = harness.Sized(15, 1)

// providerStart measures the time from the start of the provider's process to its
// schema, which Terraform requests first, and compares it with an empty provider.
func providerStart(ctx context.Context, _ string) ([]harness.Result, error) {
	empty, err := terraform.BuildEmpty(ctx)
	if err != nil {
		return nil, err
	}
	start := func(program string) func() (harness.Cost, error) {
		return func() (harness.Cost, error) {
			cost, err := startProvider(ctx, program)
			if err != nil {
				err = fmt.Errorf("%s: %w", filepath.Base(program), err)
			}
			return cost, err
		}
	}
	costs, err := harness.WarmRounds(startRounds, start(filepath.Join("bin", "terraform-provider-scaleway")), start(empty))
	if err != nil {
		return nil, err
	}
	return harness.CompareCosts("provider-start", "ms", "<= 1.15",
		"from the start of the process to the schema, compared with an empty framework provider", costs), nil
}

// startProvider returns the milliseconds from a provider's start to its schema.
func startProvider(ctx context.Context, program string) (harness.Cost, error) {
	command := exec.CommandContext(ctx, program)
	began := time.Now()
	client := plugin.NewClient(&plugin.ClientConfig{
		// The values of Terraform's plugin protocol.
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
		return harness.Cost{}, err
	}
	dispensed, err := connection.Dispense("provider")
	if err != nil {
		return harness.Cost{}, err
	}
	getSchema, ok := dispensed.(func(context.Context) error)
	if !ok {
		return harness.Cost{}, fmt.Errorf("the plugin is a %T", dispensed)
	}
	if err := getSchema(ctx); err != nil {
		return harness.Cost{}, err
	}
	took := time.Since(began)
	used, err := harness.CPUTime(command.Process.Pid)
	return harness.Cost{Elapsed: harness.Milliseconds(took), CPU: harness.Milliseconds(used)}, err
}

// schemaPlugin requests a provider's schema, and does not decode it.
type schemaPlugin struct{ plugin.NetRPCUnsupportedPlugin }

// GRPCServer implements plugin.GRPCPlugin.
func (schemaPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is a client")
}

// GRPCClient implements plugin.GRPCPlugin.
//
//nolint:unparam // The interface requires the error.
func (schemaPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return func(ctx context.Context) error {
		var request, schema []byte
		err := connection.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", &request, &schema,
			grpc.ForceCodec(rawCodec{}), grpc.MaxCallRecvMsgSize(64<<20))
		if err == nil && len(schema) == 0 {
			err = errors.New("the schema is empty")
		}
		return err
	}, nil
}

// rawCodec encodes and decodes messages as their bytes.
type rawCodec struct{}

var _ encoding.Codec = rawCodec{}

func (rawCodec) Marshal(v any) ([]byte, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("encode a %T: want *[]byte", v)
	}
	return *message, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("decode into a %T: want *[]byte", v)
	}
	*message = data
	return nil
}

func (rawCodec) Name() string { return "proto" }
