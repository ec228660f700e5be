package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/server"
)

// serveCommand runs the server.
type serveCommand struct {
	APIListen        string         `help:"Listen here for the API, as host:port; port 0 takes a free one." default:"${apiListen}" placeholder:"ADDRESS"`
	APIURL           string         `name:"api-url" help:"Public URL of the API, behind a proxy (default: as clients reach it)." placeholder:"URL"`
	GatewayListen    string         `help:"Listen here for calls of functions." default:"${gatewayListen}" placeholder:"ADDRESS"`
	GatewayTLSListen string         `name:"gateway-tls-listen" help:"Listen here for calls of functions over TLS; empty turns it off." placeholder:"ADDRESS"`
	TLSCert          string         `name:"tls-cert" help:"Show this certificate over TLS (PEM, with its chain); read again when it changes. Without it a local authority makes certificates." placeholder:"FILE"`
	TLSKey           string         `name:"tls-key" help:"The key of the certificate (PEM)." placeholder:"FILE"`
	OpsListen        string         `help:"Listen here for operators: /healthz, /readyz, /metrics; empty turns it off. Nobody is asked for a key." default:"${opsListen}" placeholder:"ADDRESS"`
	OpsPprof         bool           `help:"Have profiles taken at /debug/pprof/ of the operators' port."`
	Domain           string         `help:"End the domain names of functions in this; {region} stands for the region." default:"${domain}"`
	DNSResolver      string         `help:"Ask this DNS server who owns a custom hostname, by its CNAME or TXT record; without it the first claim wins." name:"dns-resolver" placeholder:"HOST:PORT"`
	ACMEDirectory    string         `help:"Have certificates for the functions' hosts signed by the authority that speaks ACME here, such as https://acme-v02.api.letsencrypt.org/directory; to name it is to agree to its terms." name:"acme-directory" placeholder:"URL"`
	ACMEEmail        string         `help:"Give this address to the ACME authority." name:"acme-email" placeholder:"ADDRESS"`
	ACMERoots        string         `help:"Trust the certificates in this PEM file when speaking to the ACME authority (default: the system's)." name:"acme-roots" placeholder:"FILE"`
	LocalDomains     []string       `help:"Let the local authority certify custom hostnames below these domains, too." placeholder:"DOMAIN"`
	Brokers          string         `help:"Read from this file which NATS servers and SQS services keep the messages of triggers." placeholder:"FILE"`
	QueuesAnywhere   bool           `help:"Let triggers reach the queues that API callers name on this machine and in its private networks, too."`
	CacheDir         string         `help:"Keep what makes builds quick in this folder." default:"${cacheDir}" placeholder:"DIR"`
	Credentials      string         `help:"Write the API key of the first start to this file (default: the data folder's name and .credentials.yaml)." placeholder:"FILE"`
	RefuseTokens     bool           `help:"Let no token open a private function."`
	RefuseAPIKeys    bool           `name:"refuse-api-keys" help:"Let no API key open a private function."`
	WrongKeys        int            `help:"Let one address show this many wrong API keys a minute to the API; 0 for any number." default:"${wrongKeys}"`
	AuditReads       bool           `help:"Write down in the audit log who has read what, too, besides changes and refusals."`
	TrustedProxies   []netip.Prefix `name:"trusted-proxies" help:"Believe proxies at these addresses (CIDR, separated by commas) what they say of their callers." placeholder:"CIDR"`
	ProxyProtocol    bool           `help:"Ask trusted proxies for the PROXY protocol."`
	PassToken        bool           `help:"Let functions see the token that they were called with."`
	BuildTimeout     time.Duration  `help:"Give up a build after this long." default:"${buildTimeout}"`
	BuildDisk        int64          `help:"Give up a build that takes more of the disk, in bytes." default:"${buildDisk}"`
	BuildCache       int64          `help:"Keep so much of what was built for the next build of the same, in bytes." default:"${buildCache}"`
	Builds           int            `help:"Maximum number of builds that work at once; one project has at most half of them." default:"${builds}"`
	CacheSize        int64          `help:"Maximum size of the caches of all projects' builds, in bytes." default:"${cacheSize}"`
	ProjectCacheSize int64          `help:"Maximum size of the cache of one project's builds, in bytes." default:"${projectCacheSize}"`
	LogSize          int64          `help:"Keep so much of what one function prints, in bytes." default:"${logSize}"`
	StartTimeout     time.Duration  `help:"Give up an instance that does not serve after this long." default:"${startTimeout}"`
	StopDelay        time.Duration  `help:"Go on for this long when the server stops, but no longer ready." default:"${stopDelay}"`
	StopTimeout      time.Duration  `help:"Let calls end for this long when the server stops." default:"${stopTimeout}"`
	MinTimeout       time.Duration  `help:"Accept no shorter timeout of a function." default:"${minTimeout}"`
	MaxTimeout       time.Duration  `help:"Accept no longer timeout of a function." default:"${maxTimeout}"`
	MaxNamespaces    int            `help:"Let a project have this many namespaces." default:"${maxNamespaces}"`
	MaxFunctions     int            `help:"Let an organization have this many functions." default:"${maxFunctions}"`
	MaxDomains       int            `help:"Let a function have this many custom hostnames." default:"${maxDomains}"`
	MaxScale         int            `help:"Let a function have this many instances." default:"${maxScale}"`
	MaxVariables     int            `help:"Let a namespace or a function have this many variables, and as many secret ones." default:"${maxVariables}"`
	MaxVariableSize  int            `help:"Let the value of a variable be this long, in characters." default:"${maxVariableSize}"`
	MaxSecretSize    int            `help:"Let the value of a secret variable be this long, in bytes." default:"${maxSecretSize}"`
	MaxArchiveSize   int64          `help:"Let the archive of a function's code be this large, in bytes." default:"${maxArchiveSize}"`
	MaxPayloadSize   int64          `help:"Let the body of a call be this large, in bytes." default:"${maxPayloadSize}"`
	MaxStorage       int64          `help:"Maximum size of a project's code archives together, in bytes." default:"${maxStorage}"`
	StrictRuntimes   bool           `help:"Refuse runtimes as Scaleway does: no new functions after a runtime's end of support, and no changes after its end of life."`
	Queue            int            `help:"Let this many calls wait for an instance of one function." default:"${queue}"`
	IdleToOne        time.Duration  `help:"Stop an instance that was idle beside others for this long." default:"${idleToOne}"`
	IdleToZero       time.Duration  `help:"Stop the last instance of a function when it was idle for this long." default:"${idleToZero}"`
	InstanceDisk     int64          `help:"Size of each instance's disk at isolation level full, in bytes; 0 for none." default:"${instanceDisk}"`
	InstancesMemory  int64          `help:"Maximum memory that all instances reserve together, in bytes (default: 80 % of the machine's or the cgroup's)." placeholder:"BYTES"`
	Isolation        string         `help:"Isolate instances at this level: full (root), user, restricted, none; auto is full for root and user for others. The server does not start if the level does not hold." default:"${isolation}"`
	Egress           string         `help:"Let instances and builds reach the network, but for this machine and mail (open, at isolation level full), or nothing (none)." enum:"open,none" default:"open"`
	EgressDeny       []netip.Prefix `help:"Let instances not reach these networks (CIDR, separated by commas)." placeholder:"CIDR"`
	EgressAllow      []relay        `help:"Mail relays that instances reach although ports 25 and 465 are refused, separated by commas." placeholder:"HOST:PORT"`
	EgressResolver   string         `help:"Answer the DNS questions of instances with this server (default: the one that this machine asks)." placeholder:"HOST:PORT"`
	Spare            int            `help:"Keep this many sandboxes of each kind ready for instances to come; 0 for none." default:"${spare}"`
	SpareWorkers     bool           `help:"Have interpreters wait in some of them for their function." default:"true" negatable:""`
	SpareMost        int            `help:"Let demand raise that number to this." default:"${spareMost}"`
	SpareMemory      int64          `help:"Let these sandboxes take this much memory, in bytes." default:"${spareMemory}"`
	Crates           string         `help:"Have Rust functions get their crates from here in place of crates.io: a registry, such as sparse+https://crates.example.com/, or the absolute path of a folder as cargo vendor makes it." placeholder:"URL|DIR"`
	ShareRustBuilds  bool           `help:"Have Rust functions share what was compiled of their crates: quicker, where all their authors trust each other."`
	toolchainFlags
	quotaFlags
	trafficFlags
	LogFormat string     `help:"Write the log as text or json." enum:"text,json" default:"text"`
	LogLevel  slog.Level `help:"Log from this level on: debug, info, warn or error." default:"info"`
}

// A relay is a flag's HOST:PORT.
type relay struct{ egress.Relay }

// UnmarshalText reads it.
func (r *relay) UnmarshalText(text []byte) (err error) {
	r.Relay, err = egress.ParseRelay(string(text))
	return err
}

// config puts the flags over the defaults.
func (c *serveCommand) config(dataDir string) server.Config {
	config := server.DefaultConfig(dataDir)
	config.APIListen, config.GatewayListen, config.APIURL = c.APIListen, c.GatewayListen, c.APIURL
	config.GatewayTLSListen, config.TLSCert, config.TLSKey = c.GatewayTLSListen, c.TLSCert, c.TLSKey
	config.OpsListen, config.OpsPprof = c.OpsListen, c.OpsPprof
	config.RefuseTokens, config.RefuseAPIKeys = c.RefuseTokens, c.RefuseAPIKeys
	config.WrongKeys, config.AuditReads = c.WrongKeys, c.AuditReads
	config.TrustedProxies, config.ProxyProtocol = c.TrustedProxies, c.ProxyProtocol
	config.Domain, config.CacheDir, config.PassToken = c.Domain, c.CacheDir, c.PassToken
	config.DNSResolver = c.DNSResolver
	config.ACMEDirectory, config.ACMEEmail, config.ACMERoots = c.ACMEDirectory, c.ACMEEmail, c.ACMERoots
	config.LocalDomains = c.LocalDomains
	config.Brokers, config.QueuesAnywhere = c.Brokers, c.QueuesAnywhere
	if c.Credentials != "" {
		config.Credentials = c.Credentials
	}
	config.BuildTimeout, config.StartTimeout = c.BuildTimeout, c.StartTimeout
	config.BuildDisk, config.BuildCache, config.LogSize = c.BuildDisk, c.BuildCache, c.LogSize
	config.BuildsAtOnce, config.CacheSize, config.ProjectCacheSize = c.Builds, c.CacheSize, c.ProjectCacheSize
	config.StopDelay, config.StopTimeout = c.StopDelay, c.StopTimeout
	config.Limits, config.StrictRuntimes = c.quotaFlags.over(c.limits()), c.StrictRuntimes
	config.Traffic = c.trafficFlags.over(config.Traffic)
	config.Scale.Queue, config.Scale.IdleToOne, config.Scale.IdleToZero = c.Queue, c.IdleToOne, c.IdleToZero
	config.Scale.Memory, config.InstanceDisk = c.InstancesMemory, c.InstanceDisk
	config.Isolation = c.Isolation
	config.Egress, config.EgressDeny, config.EgressResolver = c.Egress == "open", c.EgressDeny, c.EgressResolver
	for _, r := range c.EgressAllow {
		config.EgressRelays = append(config.EgressRelays, r.Relay)
	}
	config.Spare = process.Spare{Least: c.Spare, Most: max(c.Spare, c.SpareMost), Memory: c.SpareMemory, NoWorkers: !c.SpareWorkers}
	config.Toolchains = c.paths()
	config.Crates, config.ShareRustBuilds = c.Crates, c.ShareRustBuilds
	return config
}

func (c *serveCommand) limits() functions.Limits {
	return functions.Limits{
		Namespaces: c.MaxNamespaces, Functions: c.MaxFunctions, Domains: c.MaxDomains, MaxScale: c.MaxScale,
		Variables: c.MaxVariables, VariableSize: c.MaxVariableSize, SecretSize: c.MaxSecretSize,
		MinTimeout: c.MinTimeout, MaxTimeout: c.MaxTimeout, ArchiveSize: c.MaxArchiveSize, PayloadSize: c.MaxPayloadSize, Storage: c.MaxStorage,
	}
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(s.err, options)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(s.err, options)
	}
	log := slog.New(handler)
	server.CollectLessOften()
	if err := child.LowerOOMScore(); err != nil {
		log.Debug("the server's OOM score stays: its children have the highest", "error", err)
	}
	config := c.config(line.DataDir)
	config.Version = currentVersion()
	running, err := server.Open(ctx, config, log)
	if err != nil {
		return err
	}
	show(s.out, running.Issued())
	reached := running.Endpoints()
	log.Info("serving", "api", reached.API, "gateway", reached.Gateway, "gateway_tls", reached.GatewayTLS, "ops", reached.Ops, "data", line.DataDir)
	err = errors.Join(running.Run(ctx), running.Close())
	log.Info("stopped")
	return err
}

// show prints the new API key to a person. Where the output goes to a file it
// is not printed: it would stay there in clear.
func show(out io.Writer, issued *scw.Profile) {
	file, ok := out.(*os.File)
	if issued == nil || !ok {
		return
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	fmt.Fprintf(out, "A new API key. The server cannot show its secret key again; 'jeton env' can.\n\n"+
		"  access key    %s\n  secret key    %s\n  project       %s\n  organization  %s\n\n",
		*issued.AccessKey, *issued.SecretKey, *issued.DefaultProjectID, *issued.DefaultOrganizationID)
}
