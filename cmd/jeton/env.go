package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
)

// envCommand prints the environment variables of clients.
type envCommand struct {
	Credentials string        `help:"File with the API key (default: <data-dir>.credentials.yaml)." placeholder:"FILE"`
	Wait        time.Duration `help:"Maximum time to wait for the server to start." default:"0s" placeholder:"DURATION"`
}

// Run prints export lines for a shell.
func (c *envCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	awaitServing(ctx, line.DataDir, c.Wait)
	variables, err := clientEnvironment(line.DataDir, c.Credentials)
	if err != nil {
		return err
	}
	if !server.Serving(line.DataDir) {
		fmt.Fprintln(s.err, "jeton: no server uses", line.DataDir+": start 'jeton serve'")
	}
	for _, v := range variables {
		fmt.Fprintf(s.out, "export %s=%s\n", v.name, quote(v.value))
	}
	return nil
}

// awaitServing waits until a server uses the data directory, at most for the given time.
func awaitServing(ctx context.Context, dataDir string, atMost time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !server.Serving(dataDir) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

type variable struct{ name, value string }

// clientEnvironment returns the variables that configure Scaleway's clients for the server
// that uses the data directory. Without credentials it reads the default file.
func clientEnvironment(dataDir, credentials string) ([]variable, error) {
	if credentials == "" {
		credentials = server.CredentialsPath(dataDir)
	}
	config, err := scw.LoadConfigFromPath(credentials)
	if _, missing := errors.AsType[*scw.ConfigFileNotFoundError](err); missing {
		return nil, fmt.Errorf("no credentials at %s: start 'jeton serve' first, or set --data-dir", credentials)
	}
	if err != nil {
		return nil, fmt.Errorf("read credentials at %s: %w", credentials, err)
	}
	variables := []variable{
		{scw.ScwAPIURLEnv, text(config.APIURL)},
		{scw.ScwAccessKeyEnv, text(config.AccessKey)},
		{scw.ScwSecretKeyEnv, text(config.SecretKey)},
		{scw.ScwDefaultProjectIDEnv, text(config.DefaultProjectID)},
		{scw.ScwDefaultOrganizationIDEnv, text(config.DefaultOrganizationID)},
		{scw.ScwDefaultRegionEnv, text(config.DefaultRegion)},
	}
	if gateway := gatewayURL(dataDir); gateway != "" {
		variables = append(variables, variable{"JETON_GATEWAY_URL", gateway})
	}
	return variables, nil
}

// gatewayURL returns the URL of the running server's gateway; empty without a server.
func gatewayURL(dataDir string) string {
	endpoints, _ := server.Reach(dataDir)
	return endpoints.Gateway
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

// quote returns a value in single quotes for a shell.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
