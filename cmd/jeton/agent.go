package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/launch"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/languages"
)

// agentCommand is the program beside a function in its Pod. The node starts it. The program of the
// other container, "jeton agent launch", runs in init: see launch.
type agentCommand struct {
	Run agentRunCommand `cmd:"" default:"withargs" hidden:"" help:"Accept the order of a node, and pass it to the launcher."`
}

type agentRunCommand struct {
	Dir      string        `required:"" help:"Directory that the launcher sees, too." placeholder:"DIR"`
	Home     string        `help:"Empty directory for the code." placeholder:"DIR"`
	Token    string        `required:"" help:"File with the token of the Pod." placeholder:"FILE"`
	NodeKey  string        `required:"" help:"Fingerprint of the key of the node." placeholder:"HEX"`
	Patience time.Duration `default:"5m" help:"How long the agent waits for the node." placeholder:"DURATION"`
	Canary   string        `help:"Address that must be unreachable before the order." placeholder:"HOST:PORT"`
	Language string        `help:"Language of the function." placeholder:"LANGUAGE"`
	Listen   string        `help:"Address for the node (default: all addresses, port 9443)." placeholder:"HOST:PORT"`
}

// Run runs until the node or the launcher has ended.
func (c *agentRunCommand) Run(ctx context.Context, s streams) error {
	launch.CollectGarbage()
	toolchains, err := runtime.FindToolchains(ctx, nil).Encode()
	if err != nil {
		return err
	}
	return agent.Run(ctx, agent.Config{
		Listen: c.Listen, Dir: c.Dir, Home: c.Home, Toolchains: toolchains, Token: c.Token, NodeKey: c.NodeKey, Patience: c.Patience, Canary: c.Canary,
		Bootstraps: languages.Bootstraps(c.Language), Log: slog.New(slog.NewTextHandler(s.err, nil)),
	})
}
