package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/leave"
	"github.com/jeton-dev/jeton/internal/server"
)

// importCommand groups the imports from other services.
type importCommand struct {
	Scaleway importScalewayCommand `cmd:"" help:"Import functions, tokens and everything else from Scaleway, with their IDs."`
}

// sourceFlags select the account to read.
type sourceFlags struct {
	Profile    string   `help:"Profile of Scaleway's configuration file (default: the SCW_* variables)." placeholder:"NAME"`
	ScwConfig  string   `name:"scw-config" help:"Scaleway's configuration file (default: where scw looks for it)." placeholder:"FILE"`
	SourceURL  string   `name:"source-url" help:"URL of the API of the source (default: of the profile, or Scaleway's)." placeholder:"URL"`
	Region     []string `help:"Region to read, may be repeated (default: all)." placeholder:"REGION"`
	Namespaces []string `name:"namespace" help:"ID or name of a namespace to read, may be repeated (default: all)." placeholder:"NAMESPACE"`
	Parallel   int      `help:"Number of concurrent requests." default:"8" placeholder:"N"`
}

// open returns the source.
func (f sourceFlags) open() (*leave.Source, error) {
	profile, err := f.profile()
	if err != nil {
		return nil, err
	}
	if f.SourceURL != "" {
		profile.APIURL = new(strings.TrimRight(f.SourceURL, "/"))
	}
	if f.Parallel < 1 {
		return nil, fmt.Errorf("parallel is %d: it must be at least 1", f.Parallel)
	}
	return leave.Open(leave.SourceConfig{Profile: profile, Regions: f.Region, Namespaces: f.Namespaces, Parallel: f.Parallel})
}

// profile returns the named profile, or what the SCW_* variables set over the active one.
func (f sourceFlags) profile() (*scw.Profile, error) {
	if f.Profile == "" && f.ScwConfig == "" {
		profile := &scw.Profile{}
		if config, err := scw.LoadConfig(); err == nil {
			if active, err := config.GetActiveProfile(); err == nil {
				profile = active
			}
		}
		return scw.MergeProfiles(profile, scw.LoadEnvProfile()), nil
	}
	path := cmp.Or(f.ScwConfig, scw.GetConfigPath())
	config, err := scw.LoadConfigFromPath(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if f.Profile == "" {
		return &config.Profile, nil
	}
	profile, err := config.GetProfile(f.Profile)
	if err != nil {
		return nil, fmt.Errorf("profile %s of %s: %w", f.Profile, path, err)
	}
	return profile, nil
}

// importScalewayCommand imports an account.
type importScalewayCommand struct {
	sourceFlags
	DryRun      bool              `help:"Print what would be imported, and change nothing."`
	PublicKey   map[string]string `help:"Public key of a namespace, as a file or a URL, may be repeated." placeholder:"NAMESPACE=FILE"`
	RequestKeys bool              `help:"Create and delete a token in each namespace to read its public key."`
	Secrets     string            `help:"YAML file with the values of secret variables." placeholder:"FILE"`
	Skip        []string          `help:"What to leave out: crons, triggers, domains, tokens." enum:"crons,triggers,domains,tokens" placeholder:"KIND"`
	JSON        bool              `name:"json" help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (*importScalewayCommand) Help() string {
	return `The source is the account of the SCW_* variables or of --profile. Run it with --dry-run first. A later run continues, and brings what has changed since.

Example: jeton import scaleway --profile default --public-key shop=shop.pem --secrets secrets.yaml --dry-run`
}

// Run imports the account and prints a table. Objects that could not be imported are an
// error.
func (c *importScalewayCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	source, err := c.open()
	if err != nil {
		return err
	}
	endpoints, serving := server.Reach(line.DataDir)
	switch {
	case !serving:
		return fmt.Errorf("import: no server uses %s: start 'jeton serve' first, or set --data-dir", line.DataDir)
	case strings.TrimRight(source.URL, "/") == endpoints.API:
		return errors.New("import: the source is the server itself: unset SCW_API_URL, or set --profile or --source-url")
	}
	config := leave.RunnerConfig{
		Source: source, Target: admin.NewClient(endpoints.Admin), DryRun: c.DryRun, RequestKeys: c.RequestKeys, Skip: c.Skip, Parallel: c.Parallel,
	}
	if config.Keys, err = c.readKeys(ctx); err != nil {
		return err
	}
	if config.Secrets, err = readSecrets(c.Secrets); err != nil {
		return err
	}
	bar := newProgressBar(s.err)
	config.Progress = bar.show
	runner, err := leave.NewRunner(config)
	if err != nil {
		return err
	}
	report, err := runner.Run(ctx)
	bar.clear()
	if report != nil {
		if err := c.print(s.out, report); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("import from %s: %w", source.Issuer, err)
	}
	if failed := report.Failed(); failed > 0 {
		return fmt.Errorf("import from %s: %d objects were not imported: see the table", source.Issuer, failed)
	}
	return nil
}

func (c *importScalewayCommand) print(out io.Writer, report *leave.Report) error {
	if c.JSON {
		return printJSON(out, report)
	}
	return report.Print(out)
}

// maxPublicKey is the maximum size of a public key, in bytes.
const maxPublicKey = 64 << 10

// authentic sends requests whose responses cannot be changed on the network: with HTTPS, or
// to the same machine. An attacker with a key of its own could sign tokens.
type authentic struct{}

// RoundTrip implements http.RoundTripper. It also checks redirects.
func (authentic) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	address, err := netip.ParseAddr(host)
	if loopback := host == "localhost" || err == nil && address.Unmap().IsLoopback(); r.URL.Scheme != "https" && !loopback {
		return nil, errors.New("the key could be replaced on the network: use https, or a file")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// readKeys reads the public keys. A URL is that of a function that returns its variable
// SCW_PUBLIC_KEY.
func (c *importScalewayCommand) readKeys(ctx context.Context) (map[string]string, error) {
	keys := map[string]string{}
	for namespace, place := range c.PublicKey {
		reader, err := openKeys(ctx, &http.Client{Transport: authentic{}}, place)
		if err != nil {
			return nil, fmt.Errorf("public key of namespace %s: %w", namespace, err)
		}
		content, err := io.ReadAll(io.LimitReader(reader, maxPublicKey))
		reader.Close()
		if err != nil {
			return nil, fmt.Errorf("public key of namespace %s: %w", namespace, err)
		}
		keys[namespace] = string(content)
	}
	return keys, nil
}

// readSecrets returns nil without a path.
func readSecrets(path string) (leave.Secrets, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	return leave.ParseSecrets(content)
}
