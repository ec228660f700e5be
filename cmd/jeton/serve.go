package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/server"
)

// serveCommand runs the server.
type serveCommand struct {
	storageFlags   `group:"storage"`
	clusterFlags   `group:"cluster"`
	networkFlags   `group:"network"`
	addressFlags   `group:"network"`
	tlsFlags       `group:"tls"`
	accessFlags    `group:"access"`
	triggerFlags   `group:"triggers"`
	engineFlags    `group:"engine"`
	instanceFlags  `group:"instances"`
	isolationFlags `group:"isolation"`
	egressFlags    `group:"egress"`
	buildFlags     `group:"builds"`
	toolchainFlags `group:"languages"`
	limitFlags     `group:"limits"`
	quotaFlags     `group:"quotas"`
	trafficFlags   `group:"traffic"`
	shutdownFlags  `group:"shutdown"`
	logFlags       `group:"logs"`
}

// config returns the configuration that the flags describe.
func (c *serveCommand) config(dataDir string) server.Config {
	config := server.DefaultConfig(dataDir)
	applyFlags(reflect.ValueOf(c).Elem(), &config)
	if c.Credentials != "" {
		config.Credentials = c.Credentials
	}
	config.Egress = c.Egress == "open"
	for _, r := range c.EgressAllow {
		config.EgressRelays = append(config.EgressRelays, r.Relay)
	}
	config.WarmPool.Max = max(c.Spare, c.SpareMost)
	config.WarmPool.NoWorkers = !c.SpareWorkers
	config.Toolchains = c.paths()
	return config
}

// Run serves until ctx is canceled.
func (c *serveCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(s.err, options)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(s.err, options)
	}
	log := slog.New(handler)
	server.CollectLessOften()
	if err := child.LowerOOMScore(); err != nil {
		log.Debug("cannot lower the OOM score of the server", "error", err)
	}
	config := c.config(line.DataDir)
	config.Version = currentVersion()
	running, err := server.Open(ctx, config, log)
	if err != nil {
		return err
	}
	printFirstKey(s.out, running.Issued())
	reached := running.Endpoints()
	log.Info("serving", "api", reached.API, "gateway", reached.Gateway, "gateway_tls", reached.GatewayTLS, "ops", reached.Ops, "data", line.DataDir)
	err = errors.Join(running.Run(ctx), running.Close())
	log.Info("stopped")
	return err
}

// printFirstKey prints a new API key if out is a terminal. It never writes a secret key to
// a file.
func printFirstKey(out io.Writer, issued *scw.Profile) {
	file, ok := out.(*os.File)
	if issued == nil || !ok {
		return
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	fmt.Fprintf(out, "The server has created an API key. It is in the credentials file; 'jeton env' prints it.\n\n"+
		"  access key    %s\n  secret key    %s\n  project       %s\n  organization  %s\n\n",
		*issued.AccessKey, *issued.SecretKey, *issued.DefaultProjectID, *issued.DefaultOrganizationID)
}
