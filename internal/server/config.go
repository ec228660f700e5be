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

	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/token"
)

// The defaults of a server. docs/jeton.yaml lists them; a test compares the two.
const (
	DefaultAPIListen     = "127.0.0.1:8080"
	DefaultGatewayListen = "127.0.0.1:8081"
	DefaultOpsListen     = "127.0.0.1:8082"
	DefaultClusterListen = "127.0.0.1:8083"
	DefaultDomain        = "functions.fnc.{region}.localhost"
	DefaultBuildTimeout  = 40 * time.Minute // Scaleway's documentation
	DefaultBuildDisk     = 4 << 30
	DefaultBuildCache    = 2 << 30
	DefaultBlobCache     = 8 << 30
	DefaultBlobRetention = 24 * time.Hour
	DefaultBuildsAtOnce  = 4
	DefaultCacheSize     = 16 << 30
	DefaultProjectCache  = 4 << 30
	DefaultLogSize       = 16 << 20
	DefaultStopTimeout   = 10 * time.Second
	DefaultWrongKeys     = 60 // a minute
)

// Config is the configuration of a server. Start from DefaultConfig.
type Config struct {
	// DataDir is the data folder. Only one server can use it at a time.
	DataDir string
	// Database is the URL of a PostgreSQL database, such as
	// postgres://jeton@db.example.com/jeton. Empty means an SQLite file in DataDir. The
	// servers that use the same database are the nodes of a cluster.
	Database string
	// Node is the name of this node in a cluster. No two nodes have the same. Empty means
	// the name of this machine; Validate sets it.
	Node string
	// ClusterListen is the address for the other nodes, used with Database only.
	// ClusterAddress is the host:port at which they reach it; empty means ClusterListen.
	ClusterListen, ClusterAddress string
	// Lease is how long a node on PostgreSQL serves after it has last reached the database,
	// and LeaseMargin how much longer the other nodes wait before they remove it.
	Lease, LeaseMargin time.Duration
	// PublicWithoutLease makes a node without a lease serve public functions. A function that
	// was made private or deleted through another node may be served for as long.
	PublicWithoutLease bool
	// CacheDir has build caches and instance disks. It can be deleted while no server
	// runs.
	CacheDir string
	// Blobs is the S3 URL of archives, artifacts and builds, such as s3://bucket/prefix.
	// Empty means folders in DataDir. BlobCache is the maximum size of the artifacts in
	// CacheDir that are not in use, in bytes.
	Blobs     string
	BlobCache int64
	// BlobRetention is how long objects in Blobs are kept after they are no longer needed,
	// so that backups of Database within this time find them. It has no effect without
	// Database.
	BlobRetention time.Duration
	// SealingKey is a file with the keys that encrypt secrets; empty for secret.key in
	// DataDir, which the first start creates.
	SealingKey string
	// Credentials is the file to which the first start writes the new API key, in the
	// format of Scaleway's configuration file. The server reads no key from it.
	Credentials string
	// APIListen and GatewayListen are host:port; port 0 selects a free port.
	APIListen     string
	GatewayListen string
	// APITLSListen is the API's port for TLS; empty for none. APITLSCert and APITLSKey are PEM
	// files; if both are empty, the ACME server issues a certificate for the host of APIURL, or a
	// local CA one for this machine.
	APITLSListen          string
	APITLSCert, APITLSKey string
	// APIURL is the public URL of the API, such as https://functions.example.com.
	// Empty means the listening address, or the URL by which a client reached it.
	APIURL string
	// GatewayURL is the public URL of the gateway, such as https://gateway.example.com.
	// Empty means the host by which a client reached the API, and the port of
	// GatewayListen. GatewayPaths enables path-style addresses.
	GatewayURL   string
	GatewayPaths bool
	// GatewayTLSListen is the gateway's TLS port, and OpsListen the operators' port;
	// empty disables the port. OpsPprof enables profiles on the operators' port.
	GatewayTLSListen string
	OpsListen        string
	OpsPprof         bool
	// TLSCert and TLSKey are PEM files. If both are empty, a local CA issues the
	// certificates.
	TLSCert, TLSKey string
	// Domain is the parent domain of functions; "{region}" is replaced by the region.
	Domain string
	// DNSResolver is the address of the DNS server that verifies custom hostnames,
	// such as 192.0.2.53:53. Empty means that hostnames are not verified.
	DNSResolver string
	// ACMEDirectory is the directory URL of an ACME server (RFC 8555); empty for none.
	// ACMEEmail is the contact of the account. ACMERoots is a PEM file with the CAs
	// that the client trusts, empty for those of the system.
	ACMEDirectory, ACMEEmail, ACMERoots string
	// LocalDomains are additional parent domains for certificates of the local CA.
	LocalDomains []string
	// Brokers is the file with the NATS servers and SQS services of triggers; empty
	// for none.
	Brokers string
	// QueuesAnywhere permits queues in triggers at loopback and private addresses.
	QueuesAnywhere bool
	// RefuseTokens and RefuseAPIKeys disable tokens or API keys for calls.
	RefuseTokens  bool
	RefuseAPIKeys bool
	// TrustedProxies are the addresses of proxies whose forwarding headers are used.
	// With ProxyProtocol, they must send the header of the PROXY protocol.
	TrustedProxies gateway.Proxies
	ProxyProtocol  bool
	// WrongKeys is the number of requests with wrong API keys per address and minute
	// before the API answers 429; 0 for no limit.
	WrongKeys int
	// AuditReads adds requests without changes to the audit log.
	AuditReads bool
	// PassToken passes the caller's token to functions.
	PassToken bool
	// BuildTimeout limits one build.
	BuildTimeout time.Duration
	// BuildDisk is the maximum disk space of one build, and BuildCache that of all
	// stored build results, in bytes.
	BuildDisk  int64
	BuildCache int64
	// BuildsAtOnce is the number of concurrent builds. One project has at most half
	// of them, and at least one.
	BuildsAtOnce int
	// ProjectCacheSize is the maximum size of one project's cache, and CacheSize that
	// of all, in bytes. The least recently used entries are removed first.
	ProjectCacheSize, CacheSize int64
	// LogSize is the maximum size of one function's log, in bytes.
	LogSize int64
	// StopDelay is how long a stopping server continues to accept calls while it is
	// unready. After that, StopTimeout is the maximum time for calls to end.
	StopDelay   time.Duration
	StopTimeout time.Duration
	// StartTimeout is the maximum time until an instance is ready.
	StartTimeout time.Duration
	Limits       functions.Limits
	Traffic      Traffic
	// StrictRuntimes refuses the runtimes that the real service refuses.
	StrictRuntimes bool
	// Scale configures scaling. A Scale.Memory of 0 means 80 % of the memory of the
	// machine, or of the server's cgroup.
	Scale scale.Config
	// Engine runs instances and builds: ProcessEngine or KubernetesEngine. Kubernetes configures the
	// latter.
	Engine     string
	Kubernetes Kubernetes
	// Isolation is the name of the isolation level, or AutoIsolation.
	Isolation string
	// WarmPool is the size of the warm pool.
	WarmPool process.WarmPool
	// InstanceDisk is the size of each instance's disk at isolation level full, in
	// bytes; 0 for none. The disks are in CacheDir.
	InstanceDisk int64
	// DiskReserve is the space in bytes that these disks leave free on their file
	// system; 0 for 5 % of it, but at most 10 GiB.
	DiskReserve int64
	// Egress permits outbound connections at isolation level full, except to
	// EgressDeny. EgressResolver is the DNS server for functions, empty for the
	// machine's. EgressRelays are destinations whose port would be refused otherwise.
	Egress         bool
	EgressDeny     []netip.Prefix
	EgressResolver string
	EgressRelays   []egress.Relay
	// Toolchains maps languages to programs other than those in PATH.
	Toolchains map[string]string
	// Crates replaces crates.io for builds of Rust functions: the URL of a registry,
	// or the absolute path of a folder.
	Crates string
	// ShareRustBuilds shares compiled crates between the Rust functions of a project.
	// Builds are faster, and all authors of the project must trust each other.
	ShareRustBuilds bool
	// Version is the version of the program.
	Version string

	// Now, NewID and NewKeyPair provide time, IDs and keys. Tests replace them.
	Now        func() time.Time
	NewID      func() string
	NewKeyPair func() (token.KeyPair, error)
}

// DefaultConfig returns the configuration of a server that keeps its data in
// the given folder.
func DefaultConfig(dataDir string) Config {
	return Config{
		DataDir:       dataDir,
		ClusterListen: DefaultClusterListen,
		Lease:         cluster.DefaultLease,
		LeaseMargin:   cluster.DefaultMargin,
		CacheDir:      DefaultCacheDir(dataDir),
		Credentials:   CredentialsPath(dataDir),
		APIListen:     DefaultAPIListen,
		GatewayListen: DefaultGatewayListen,
		GatewayPaths:  true,
		OpsListen:     DefaultOpsListen,
		Domain:        DefaultDomain,
		BuildTimeout:  DefaultBuildTimeout,
		BuildDisk:     DefaultBuildDisk,
		BuildCache:    DefaultBuildCache,
		BlobCache:     DefaultBlobCache,
		BlobRetention: DefaultBlobRetention,
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
		Engine: ProcessEngine, Kubernetes: DefaultKubernetes(),
		Isolation: AutoIsolation, WarmPool: process.DefaultWarmPool, InstanceDisk: sandbox.DefaultDisk, Egress: true,
		Now:        func() time.Time { return time.Now().UTC() },
		NewID:      uuid.NewString,
		NewKeyPair: func() (token.KeyPair, error) { return token.GenerateKeyPair(token.KeyBits) },
	}
}

// domainName matches parent domains after the region is inserted.
var domainName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// Validate returns an error for an invalid setting, and normalizes Domain and the public URLs.
func (c *Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.DNSResolver); c.DNSResolver != "" && err != nil {
		return fmt.Errorf("dns-resolver %q is not an address: use host:port, such as 192.0.2.53:53", c.DNSResolver)
	}
	if err := errors.Join(checkURL("api-url", &c.APIURL), checkURL("gateway-url", &c.GatewayURL)); err != nil {
		return err
	}
	given := c.Domain
	c.Domain = strings.ToLower(strings.TrimSuffix(c.Domain, "."))
	if !domainName.MatchString(strings.ReplaceAll(c.Domain, "{region}", "region")) {
		return fmt.Errorf("domain %q is not a hostname: use one such as %s", given, DefaultDomain)
	}
	if c.Blobs != "" {
		if _, err := s3.ParseLocation(c.Blobs); err != nil {
			return fmt.Errorf("blobs: %w", err)
		}
	}
	if c.BlobRetention < 0 {
		return fmt.Errorf("blob-retention is %v: it must not be negative", c.BlobRetention)
	}
	if c.Scale.Queue < 1 {
		return fmt.Errorf("queue is %d: it must be at least 1", c.Scale.Queue)
	}
	if _, err := sandbox.ParseLevel(c.Isolation); c.Isolation != AutoIsolation && err != nil {
		return fmt.Errorf("%w, or %s", err, AutoIsolation)
	}
	if c.WarmPool.Min < 0 || c.WarmPool.Max < c.WarmPool.Min {
		return fmt.Errorf("spare is %d and spare-most is %d: spare must be at least 0, and spare-most at least spare", c.WarmPool.Min, c.WarmPool.Max)
	}
	if c.BuildsAtOnce < 1 {
		return fmt.Errorf("builds is %d: it must be at least 1", c.BuildsAtOnce)
	}
	for name, size := range map[string]int64{
		"build-disk": c.BuildDisk, "blob-cache": c.BlobCache, "cache-size": c.CacheSize, "project-cache-size": c.ProjectCacheSize,
	} {
		if size <= 0 {
			return fmt.Errorf("%s is %d: it must be positive", name, size)
		}
	}
	if u, err := url.Parse(c.Crates); err == nil && u.User != nil {
		return errors.New("crates is a URL with credentials, which builds could read: use a registry or proxy without credentials")
	}
	if c.InstanceDisk != 0 && c.InstanceDisk < sandbox.MinDisk {
		return fmt.Errorf("instance-disk is %d: it must be at least %d bytes, or 0 for no disk", c.InstanceDisk, sandbox.MinDisk)
	}
	if c.DiskReserve < 0 {
		return fmt.Errorf("disk-reserve is %d: it must be a number of bytes, or 0 for 5 %% of the file system", c.DiskReserve)
	}
	if c.Scale.Memory < 0 {
		return fmt.Errorf("instances-memory is %d: it must be a number of bytes, or 0 for 80 %% of the memory", c.Scale.Memory)
	}
	if c.WrongKeys < 0 {
		return fmt.Errorf("wrong-keys is %d: it must be at least 1, or 0 for no limit", c.WrongKeys)
	}
	for name, d := range map[string]time.Duration{
		"build-timeout": c.BuildTimeout, "start-timeout": c.StartTimeout,
		"idle-to-one": c.Scale.IdleToOne, "idle-to-zero": c.Scale.IdleToZero,
	} {
		if d <= 0 {
			return fmt.Errorf("%s is %v: it must be positive", name, d)
		}
	}
	if err := c.Traffic.validate(); err != nil {
		return err
	}
	if err := errors.Join(c.validateEngine(), c.checkNode()); err != nil {
		return err
	}
	return c.Limits.Validate()
}

// checkURL validates a public URL, which may be empty, and removes trailing slashes.
func checkURL(name string, given *string) error {
	if *given == "" {
		return nil
	}
	u, err := url.Parse(*given)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s %q is not a URL: use one such as https://functions.example.com", name, *given)
	}
	*given = strings.TrimRight(*given, "/")
	return nil
}

// machineName returns the name of this machine, or "node" if it has none.
func machineName() string {
	name, err := os.Hostname()
	name = strings.ToLower(name)
	if err != nil || !domainName.MatchString(name) {
		return "node"
	}
	return name
}

// DefaultDataDir returns the default data folder.
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

// DefaultCacheDir returns the default cache folder: in the user's cache folder or, for
// a user without one, in the data folder. Other users cannot create either.
func DefaultCacheDir(dataDir string) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(dataDir, "cache")
	}
	return filepath.Join(dir, "jeton")
}

// CredentialsPath returns the file for the API key of the first start. It is next to
// the data folder, which contains no secrets in clear.
func CredentialsPath(dataDir string) string {
	return filepath.Clean(dataDir) + ".credentials.yaml"
}
