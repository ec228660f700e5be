package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

// The defaults of a server. A commented configuration file that spells them
// out is docs/jeton.yaml; a test holds the two together.
const (
	DefaultAPIListen     = "127.0.0.1:8080"
	DefaultGatewayListen = "127.0.0.1:8081"
	DefaultOpsListen     = "127.0.0.1:8082"
	DefaultDomain        = "functions.fnc.{region}.localhost"
	DefaultBuildTimeout  = 40 * time.Minute // Scaleway's documentation
	DefaultBuildDisk     = 4 << 30
	DefaultBuildCache    = 2 << 30
	DefaultBuildsAtOnce  = 4
	DefaultCacheSize     = 16 << 30
	DefaultProjectCache  = 4 << 30
	DefaultLogSize       = 16 << 20
	DefaultStopTimeout   = 10 * time.Second
	DefaultWrongKeys     = 60 // a minute

	// sparePairs is how many key pairs are made ahead of need.
	sparePairs = 2
)

// Config is what a server needs to be told.
type Config struct {
	// DataDir keeps everything that must survive a restart. One server uses it
	// at a time.
	DataDir string
	// CacheDir keeps what makes builds quick and can be removed at any time.
	CacheDir string
	// Credentials is the file that the first start writes the new API key to,
	// in the format of Scaleway's configuration file. The server never reads a
	// key from it.
	Credentials string
	// APIListen and GatewayListen are host:port; port 0 takes a free one.
	APIListen     string
	GatewayListen string
	// APIURL is the public URL of the API, such as https://functions.example.com;
	// empty for the address at which it listens, or by which clients reach it.
	APIURL string
	// GatewayTLSListen is where calls come in over TLS, and OpsListen where
	// operators look; empty turns the port off. OpsPprof has profiles taken
	// there.
	GatewayTLSListen string
	OpsListen        string
	OpsPprof         bool
	// TLSCert and TLSKey are PEM files; without them a local authority makes
	// the certificates.
	TLSCert, TLSKey string
	// Domain is what the domain names of functions end in; "{region}" in it
	// stands for the region.
	Domain string
	// DNSResolver is the address of the DNS server that says whether a custom
	// hostname leads to its function, such as 192.0.2.53:53. Empty means that
	// hostnames are taken as they come.
	DNSResolver string
	// ACMEDirectory is the address of an authority that signs certificates for the
	// functions' hosts (RFC 8555); empty for none. ACMEEmail is whom it tells of
	// trouble, and ACMERoots a PEM file with those to trust when speaking to it,
	// empty for the system's.
	ACMEDirectory, ACMEEmail, ACMERoots string
	// LocalDomains are those below which the local authority certifies custom
	// hostnames, too.
	LocalDomains []string
	// Brokers is the file that names the NATS servers and SQS services whose
	// messages triggers may mean; empty for none.
	Brokers string
	// QueuesAnywhere lets queues that callers of the API name be on this machine
	// and in its private networks, too.
	QueuesAnywhere bool
	// RefuseTokens and RefuseAPIKeys turn one way into private functions off.
	RefuseTokens  bool
	RefuseAPIKeys bool
	// TrustedProxies are the addresses of proxies in front of the gateway and the API
	// that are believed what they say of their callers: in headers and, with
	// ProxyProtocol, by the PROXY protocol, which they must then speak.
	TrustedProxies gateway.Proxies
	ProxyProtocol  bool
	// WrongKeys is how many wrong API keys a minute one address may show to the
	// API before it is told to wait; zero for any number.
	WrongKeys int
	// AuditReads has the audit log tell of requests that change nothing, too.
	AuditReads bool
	// PassToken lets functions see the token that they were called with.
	PassToken bool
	// BuildTimeout bounds one build. When the server stops it goes on for
	// StopDelay, no longer ready; StopTimeout is how long calls then have to end.
	BuildTimeout time.Duration
	// BuildDisk is how much of the disk one build may take, and BuildCache how much
	// those that are kept for the next of the same, in bytes.
	BuildDisk  int64
	BuildCache int64
	// BuildsAtOnce is how many builds may work at once. One project has at most half
	// of them, and at least one.
	BuildsAtOnce int
	// ProjectCacheSize bounds what CacheDir has of one project, and CacheSize what it
	// has of all of them, in bytes. What was used least recently is removed first.
	ProjectCacheSize, CacheSize int64
	// LogSize is how much of what one function prints is kept, in bytes.
	LogSize     int64
	StopDelay   time.Duration
	StopTimeout time.Duration
	// StartTimeout is how long an instance has to report that it serves.
	StartTimeout time.Duration
	Limits       functions.Limits
	Traffic      Traffic
	// StrictRuntimes refuses functions with runtimes that the real service
	// refuses, though they could be served.
	StrictRuntimes bool
	// Scale is how instances are scaled. A Scale.Memory of 0 stands for 80 %
	// of the memory of the machine, or of the server's cgroup.
	Scale scale.Config
	// Isolation names the level of the sandboxes that instances run in, and
	// Spare how many are made ahead of need.
	Isolation string
	Spare     process.Spare
	// InstanceDisk is the size of each instance's disk at isolation level full, in
	// bytes; with 0, instances have none. The disks are in the CacheDir.
	InstanceDisk int64
	// Egress lets instances reach the network, but for EgressDeny; it is no use at
	// a level below full. EgressResolver is the DNS server behind the one that
	// they see; empty for the one that this machine asks.
	Egress         bool
	EgressDeny     []netip.Prefix
	EgressResolver string
	// EgressRelays are HOST:PORT that can be reached though the port is refused
	// otherwise.
	EgressRelays []egress.Relay
	// Toolchains are the programs that serve a language, by its name, where it
	// is not the one in PATH.
	Toolchains map[string]string
	// Crates is where the builds of Rust functions get crates from in place of
	// crates.io: the address of a registry, or the absolute path of a folder.
	Crates string
	// ShareRustBuilds has Rust functions share what was compiled of their crates:
	// builds are quicker, and every author is trusted by every other.
	ShareRustBuilds bool
	// Version is the program's own.
	Version string

	// Now, NewID and NewKeyPair are the world's; tests hand in others.
	Now        func() time.Time
	NewID      func() string
	NewKeyPair func() (token.KeyPair, error)
	// Follow, if set, stands between the store and those who follow its
	// changes. A proof puts a delay there, to see that it would be caught.
	Follow func(store.Follower) store.Follower
}

// DefaultConfig returns the configuration of a server that keeps its data in
// the given folder.
func DefaultConfig(dataDir string) Config {
	return Config{
		DataDir:       dataDir,
		CacheDir:      DefaultCacheDir(dataDir),
		Credentials:   CredentialsPath(dataDir),
		APIListen:     DefaultAPIListen,
		GatewayListen: DefaultGatewayListen,
		OpsListen:     DefaultOpsListen,
		Domain:        DefaultDomain,
		BuildTimeout:  DefaultBuildTimeout,
		BuildDisk:     DefaultBuildDisk,
		BuildCache:    DefaultBuildCache,
		BuildsAtOnce:  DefaultBuildsAtOnce,
		LogSize:       DefaultLogSize,
		CacheSize:     DefaultCacheSize, ProjectCacheSize: DefaultProjectCache,
		StopTimeout:  DefaultStopTimeout,
		StartTimeout: 10 * time.Second,
		WrongKeys:    DefaultWrongKeys,
		Limits:       functions.DefaultLimits(),
		Traffic:      DefaultTraffic(),
		Scale: scale.Config{
			Queue: scale.DefaultQueue, IdleToOne: scale.DefaultIdleToOne, IdleToZero: scale.DefaultIdleToZero,
		},
		Isolation: AutoIsolation, Spare: process.DefaultSpare, InstanceDisk: sandbox.DefaultDisk, Egress: true,
		Now:        func() time.Time { return time.Now().UTC() },
		NewID:      uuid.NewString,
		NewKeyPair: func() (token.KeyPair, error) { return token.GenerateKeyPair(token.KeyBits) },
	}
}

// domainName is the end of a host name, with the region still to be put in.
var domainName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// Validate tells what is wrong with a configuration, and brings the domain
// into the form in which names are compared.
func (c *Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.DNSResolver); c.DNSResolver != "" && err != nil {
		return fmt.Errorf("DNS resolver %q is no address: write one such as 192.0.2.53:53", c.DNSResolver)
	}
	if err := c.checkAPIURL(); err != nil {
		return err
	}
	given := c.Domain
	c.Domain = strings.ToLower(strings.TrimSuffix(c.Domain, "."))
	if !domainName.MatchString(strings.ReplaceAll(c.Domain, "{region}", "region")) {
		return fmt.Errorf("domain %q is no host name: write one such as %s", given, DefaultDomain)
	}
	if c.Scale.Queue < 1 {
		return fmt.Errorf("queue is %d: at least 1 call must be able to wait", c.Scale.Queue)
	}
	if _, err := sandbox.ParseLevel(c.Isolation); c.Isolation != AutoIsolation && err != nil {
		return fmt.Errorf("%w, or %s", err, AutoIsolation)
	}
	if c.Spare.Least < 0 || c.Spare.Most < c.Spare.Least {
		return fmt.Errorf("spare is %d and spare-most is %d: want 0 or more of the first, and no less of the second", c.Spare.Least, c.Spare.Most)
	}
	if c.BuildsAtOnce < 1 {
		return fmt.Errorf("builds is %d: it must be at least 1", c.BuildsAtOnce)
	}
	for name, size := range map[string]int64{
		"build-disk": c.BuildDisk, "cache-size": c.CacheSize, "project-cache-size": c.ProjectCacheSize,
	} {
		if size <= 0 {
			return fmt.Errorf("%s is %d: it must be positive", name, size)
		}
	}
	if u, err := url.Parse(c.Crates); err == nil && u.User != nil {
		return errors.New("crates names an address with credentials: builds of functions could read them: use a registry or proxy without")
	}
	if c.InstanceDisk != 0 && c.InstanceDisk < sandbox.MinDisk {
		return fmt.Errorf("instance-disk is %d: want %d bytes at least, or 0 for none", c.InstanceDisk, sandbox.MinDisk)
	}
	if c.Scale.Memory < 0 {
		return fmt.Errorf("instances-memory is %d: want a number of bytes, or 0 for 80 %% of the memory", c.Scale.Memory)
	}
	if c.WrongKeys < 0 {
		return fmt.Errorf("wrong-keys is %d: it must be at least 1, or 0 for any number", c.WrongKeys)
	}
	for name, d := range map[string]time.Duration{
		"build-timeout": c.BuildTimeout, "start-timeout": c.StartTimeout,
		"idle-to-one": c.Scale.IdleToOne, "idle-to-zero": c.Scale.IdleToZero,
	} {
		if d <= 0 {
			return fmt.Errorf("%s is %v: it must be more than nothing", name, d)
		}
	}
	if err := c.Traffic.validate(); err != nil {
		return err
	}
	return c.Limits.Validate()
}

// checkAPIURL brings the public URL into the form to which paths are appended.
func (c *Config) checkAPIURL() error {
	if c.APIURL == "" {
		return nil
	}
	u, err := url.Parse(c.APIURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("api-url %q is not a URL of the API: write one such as https://functions.example.com", c.APIURL)
	}
	c.APIURL = strings.TrimRight(c.APIURL, "/")
	return nil
}

// DefaultDataDir is where a server keeps its data unless it is told otherwise.
func DefaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "jeton")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "jeton-data"
	}
	return filepath.Join(home, ".local", "share", "jeton")
}

// DefaultCacheDir is where a server keeps its cache unless it is told otherwise: in
// the user's folder of caches or, for a user without one, in the data folder. It is
// never a folder that others can make.
func DefaultCacheDir(dataDir string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(dataDir, "cache")
	}
	return filepath.Join(dir, "jeton")
}

// CredentialsPath is the file beside a data folder that holds the API key of
// its first start. It is not within the folder: no secret is.
func CredentialsPath(dataDir string) string {
	return filepath.Clean(dataDir) + ".credentials.yaml"
}
