package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// envCommand prints the environment variables of clients.
type envCommand struct {
	Wait time.Duration `env:"-" help:"Maximum time to wait for the server to start." default:"0s" placeholder:"DURATION"`
	remoteCommand
}

// Run prints export lines for a shell.
func (c *envCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if c.APIURL != "" || c.APIKey != "" || c.Profile != "" {
		return c.withServer(line, func(server *remote.Server) error {
			profile, err := c.profile(line.DataDir)
			if err != nil {
				return err
			}
			info, err := server.Info(ctx)
			if err != nil {
				return err
			}
			printExports(s, append(profileVariables(profile), variable{gatewayVariable, info.GatewayURL}))
			return nil
		})
	}
	awaitServing(ctx, line.DataDir, c.Wait)
	variables, err := clientEnvironment(line.DataDir, c.Credentials)
	if err != nil {
		return err
	}
	if !server.Serving(line.DataDir) {
		fmt.Fprintln(s.err, "jeton: no server uses", line.DataDir+": start 'jeton serve'")
	}
	printExports(s, variables)
	return nil
}

func printExports(s streams, variables []variable) {
	for _, v := range variables {
		if v.value != "" {
			fmt.Fprintf(s.out, "export %s=%s\n", v.name, quote(v.value))
		}
	}
}

const (
	// gatewayVariable has the URL of the gateway.
	gatewayVariable = "JETON_GATEWAY_URL"
	// functionURLVariable has the URL that the plugin of the Serverless Framework uses in place
	// of Scaleway's.
	functionURLVariable = "SCW_FUNCTION_URL"
)

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
	variables := profileVariables(config.Profile)
	if gateway := gatewayURL(dataDir); gateway != "" {
		variables = append(variables, variable{gatewayVariable, gateway})
	}
	return variables, nil
}

// profileVariables returns the variables of Scaleway's clients for a profile.
func profileVariables(p scw.Profile) []variable {
	region := cmp.Or(text(p.DefaultRegion), string(scw.RegionFrPar))
	return []variable{
		{scw.ScwAPIURLEnv, text(p.APIURL)},
		{scw.ScwAccessKeyEnv, text(p.AccessKey)},
		{scw.ScwSecretKeyEnv, text(p.SecretKey)},
		{scw.ScwDefaultProjectIDEnv, text(p.DefaultProjectID)},
		{scw.ScwDefaultOrganizationIDEnv, text(p.DefaultOrganizationID)},
		{scw.ScwDefaultRegionEnv, region},
		{functionURLVariable, strings.TrimRight(text(p.APIURL), "/") + "/functions/v1beta1/regions/" + region},
	}
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
