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

// envCommand prints what clients need to know of the server.
type envCommand struct {
	Credentials string        `help:"Read the API key from this file (default: the data folder's name and .credentials.yaml)." placeholder:"FILE"`
	Wait        time.Duration `help:"Wait at most so long for the server to start (default 0)." placeholder:"DURATION"`
}

// Run prints export lines for a shell.
func (c *envCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	awaitServing(ctx, line.DataDir, c.Wait)
	variables, err := clientEnvironment(line.DataDir, c.Credentials)
	if err != nil {
		return err
	}
	if !server.Serving(line.DataDir) {
		fmt.Fprintln(s.err, "jeton: no server uses", line.DataDir, "now: start 'jeton serve'")
	}
	for _, v := range variables {
		fmt.Fprintf(s.out, "export %s=%s\n", v.name, quote(v.value))
	}
	return nil
}

// awaitServing returns when a server uses the data folder, or when the time is up.
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

// clientEnvironment returns the variables by which Scaleway's clients find the
// server that uses the data folder, and the key that they use.
func clientEnvironment(dataDir, credentials string) ([]variable, error) {
	if credentials == "" {
		credentials = server.CredentialsPath(dataDir)
	}
	config, err := scw.LoadConfigFromPath(credentials)
	if _, missing := errors.AsType[*scw.ConfigFileNotFoundError](err); missing {
		return nil, fmt.Errorf("no credentials at %s: start 'jeton serve' first, or name the folder with --data-dir", credentials)
	}
	if err != nil {
		return nil, fmt.Errorf("credentials at %s: %w", credentials, err)
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

// gatewayURL is where the running server lets calls in; empty if none runs.
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

// quote writes a value so that every shell takes it as it is.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
