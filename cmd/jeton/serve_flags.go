package main

import (
	"log/slog"
	"net/netip"
	"time"
)

// storageFlags select where data is stored.
type storageFlags struct {
	// With a PostgreSQL database, the data directory still has the key that encrypts
	// secrets, and the code of functions. Other users of the machine can see flags: set a
	// password with JETON_DATABASE, PGPASSWORD or PGPASSFILE. See docs/postgresql.md.
	Database string `config:"Database" help:"PostgreSQL database instead of a file in the data directory." placeholder:"URL" example:"postgres://jeton@db.example.com:5432/jeton?sslmode=verify-full"`
	// The file has one key of 32 bytes, or one key per line in Base64, the current one
	// first. The server reads it again when it changes. See docs/cluster.md.
	SealingKey string `config:"SealingKey" help:"File with the keys that encrypt secrets (default: <data-dir>/secret.key)." placeholder:"FILE" example:"/run/secrets/jeton/secret.key"`
	// The parameters endpoint, region and use_path_style select a service other than AWS.
	// Credentials come from the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
	// AWS_PROFILE, or the role of the machine). See docs/s3.md.
	Blobs string `config:"Blobs" help:"S3 bucket for archives, artifacts and builds (default: the data directory)." placeholder:"URL" example:"s3://bucket/prefix?endpoint=https://s3.fr-par.scw.cloud&region=fr-par"`
	// Artifacts that instances use are not removed, and may exceed the size.
	BlobCache int64 `config:"BlobCache" help:"Maximum size of the artifacts of the bucket in the cache directory." placeholder:"BYTES"`
	// With --database and --blobs, code that is no longer needed stays in the bucket for this
	// time. A database that is restored to a time within it finds the code of its functions.
	// Set it to the age of your oldest backup. Without --database, code is removed at once.
	BlobRetention time.Duration `config:"BlobRetention" help:"How long code that is no longer needed stays in the bucket." placeholder:"DURATION"`
}

// clusterFlags make several servers that use one database the nodes of a cluster. See
// docs/cluster.md.
type clusterFlags struct {
	NodeName string `config:"Node" help:"Name of this node, which no other node has (default: the hostname)." placeholder:"NAME" example:"node1"`
	// Connections between nodes use TLS with certificates of the cluster's own authority.
	ClusterListen string `config:"ClusterListen" help:"Address for the other nodes of a cluster." placeholder:"HOST:PORT"`
	// Set it if the other nodes do not reach the listening address as it is written.
	ClusterAddress string `config:"ClusterAddress" help:"Address at which the other nodes reach this one (default: --cluster-listen)." placeholder:"HOST:PORT" example:"node1.example.com:8083"`
	// A node that cannot renew its lease answers 503 when it ends.
	Lease time.Duration `config:"Lease" help:"How long a node serves after it has last reached the database." placeholder:"DURATION"`
	// The margin must exceed every pause of the process that no clock of its machine shows.
	LeaseMargin time.Duration `config:"LeaseMargin" help:"How long other nodes wait after a lease has ended before they remove its node." placeholder:"DURATION"`
	// Without this flag such a node answers all calls with 503. With it, a function that was
	// made private or deleted through another node is still served by the node that cannot
	// reach the database.
	PublicWithoutLease bool `name:"serve-public-without-lease" config:"PublicWithoutLease" help:"Serve public functions while this node cannot renew its lease."`
}

// networkFlags set where the server listens, and under which names.
type networkFlags struct {
	APIListen string `config:"APIListen" help:"Address of the API; port 0 picks a free port." placeholder:"HOST:PORT"`
	// Without --api-tls-cert, the ACME authority issues a certificate for the hostname of
	// --api-url if both are set, and otherwise a local authority one for this machine. 'jeton ca
	// --api' prints the certificate that clients must trust.
	APITLSListen  string `name:"api-tls-listen" config:"APITLSListen" help:"Address of the API for TLS; empty disables TLS." placeholder:"HOST:PORT"`
	APITLSCert    string `name:"api-tls-cert" config:"APITLSCert" help:"Certificate of the API and its chain, as PEM." placeholder:"FILE"`
	APITLSKey     string `name:"api-tls-key" config:"APITLSKey" help:"Private key of the API's certificate, as PEM." placeholder:"FILE"`
	GatewayListen string `config:"GatewayListen" help:"Address of the gateway, which receives calls of functions." placeholder:"HOST:PORT"`
	// Without --tls-cert or --acme-directory a local authority, for development,
	// issues a certificate for each hostname. 'jeton ca' prints the certificate that
	// clients must trust.
	GatewayTLSListen string `name:"gateway-tls-listen" config:"GatewayTLSListen" help:"Address of the gateway for TLS; empty disables TLS." placeholder:"HOST:PORT"`
	// This port requires no key: keep it private.
	OpsListen string `config:"OpsListen" help:"Address of /healthz, /readyz and /metrics; empty disables them." placeholder:"HOST:PORT"`
	OpsPprof  bool   `config:"OpsPprof" help:"Serve profiles at /debug/pprof/ of the operators' port."`
	// Set it if a proxy terminates TLS in front of the API. Upload and download URLs
	// and the credentials file contain this URL. The default is the URL that the client
	// used, which a trusted proxy states in X-Forwarded-Proto and X-Forwarded-Host.
	APIURL string `name:"api-url" config:"APIURL" help:"Public URL of the API, such as https://api.example.com:8443." placeholder:"URL"`
	Domain string `config:"Domain" help:"Domain of the functions' hostnames; {region} stands for the region." placeholder:"DOMAIN"`
	// The server looks for a CNAME or TXT record of the hostname. Without this flag
	// every hostname is accepted, and belongs to the first project that claims it: set
	// the flag if several projects share the server.
	DNSResolver string `name:"dns-resolver" config:"DNSResolver" help:"DNS server that verifies who owns a custom hostname." placeholder:"HOST:PORT"`
	// The server accepts the X-Forwarded-* headers of proxies at these addresses, in
	// front of the gateway and of the API.
	TrustedProxies []netip.Prefix `name:"trusted-proxies" config:"TrustedProxies" help:"Networks of trusted proxies, separated by commas." placeholder:"CIDR" example:"10.0.0.0/8,192.168.1.10/32"`
	ProxyProtocol  bool           `config:"ProxyProtocol" help:"Require the PROXY protocol from trusted proxies."`
}

// tlsFlags select the certificates of the gateway.
type tlsFlags struct {
	// The server reads the certificate and its key again when the files change.
	TLSCert string `name:"tls-cert" config:"TLSCert" help:"Certificate of the gateway and its chain, as PEM." placeholder:"FILE"`
	TLSKey  string `name:"tls-key" config:"TLSKey" help:"Private key of the certificate, as PEM." placeholder:"FILE"`
	// An example is https://acme-v02.api.letsencrypt.org/directory. Setting this flag
	// accepts the authority's terms of service. Challenges arrive at the ports of the
	// gateway or at --api-tls-listen, one of which must be reachable as port 80 or 443. If
	// --tls-cert is set too, the authority issues certificates for custom hostnames only.
	// With --api-tls-listen it also issues one for the hostname of --api-url.
	ACMEDirectory string   `name:"acme-directory" config:"ACMEDirectory" help:"ACME authority that issues certificates for functions' hostnames and the API." placeholder:"URL"`
	ACMEEmail     string   `name:"acme-email" config:"ACMEEmail" help:"Contact address for the ACME authority." placeholder:"EMAIL"`
	ACMERoots     string   `name:"acme-roots" config:"ACMERoots" help:"Root certificates for connections to the ACME authority (default: the system's)." placeholder:"FILE"`
	ACMEBudget    int      `name:"acme-budget" config:"Traffic.ACMEBudget" help:"Maximum number of certificates that one project may request per week." placeholder:"N"`
	LocalDomains  []string `config:"LocalDomains" help:"Domains of custom hostnames that the local authority certifies." placeholder:"DOMAIN" example:"example.com,example.org"`
}

// accessFlags decide which credentials are accepted.
type accessFlags struct {
	Credentials   string `help:"File for the first API key (default: <data-dir>.credentials.yaml)." placeholder:"FILE" example:"~/.local/share/jeton.credentials.yaml"`
	RefuseTokens  bool   `config:"RefuseTokens" help:"Refuse tokens as credentials for private functions."`
	RefuseAPIKeys bool   `name:"refuse-api-keys" config:"RefuseAPIKeys" help:"Refuse API keys as credentials for private functions."`
	PassToken     bool   `config:"PassToken" help:"Pass the caller's token on to the function."`
	// An address (IPv6: a /64 network) that exceeds the limit gets 429 for further wrong
	// keys; valid keys still work. Clients behind a proxy that is not trusted share the
	// proxy's address.
	WrongKeys  int  `config:"WrongKeys" help:"Maximum number of wrong API keys per address and minute; 0 for no limit." placeholder:"N"`
	AuditReads bool `config:"AuditReads" help:"Record read requests in the audit log, not only changes and refusals."`
}

// triggerFlags connect triggers to message brokers.
type triggerFlags struct {
	// docs/triggers.md describes the file. Without it, triggers do nothing.
	Brokers        string `config:"Brokers" help:"File that lists the NATS servers and SQS services for triggers." placeholder:"FILE"`
	QueuesAnywhere bool   `config:"QueuesAnywhere" help:"Let triggers use queues on this machine and in its private networks."`
}

// shutdownFlags set how the server stops.
type shutdownFlags struct {
	// /readyz fails as soon as the server receives SIGTERM or SIGINT. The server continues
	// for this long, so that a load balancer can notice.
	StopDelay time.Duration `config:"StopDelay" help:"How long the server keeps accepting connections when it stops." placeholder:"DURATION"`
	// Calls that still run afterwards are aborted.
	StopTimeout time.Duration `config:"StopTimeout" help:"How long running calls may continue when the server stops." placeholder:"DURATION"`
}

// logFlags set what is logged.
type logFlags struct {
	LogFormat string     `help:"Format of the server's log: text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
	LogLevel  slog.Level `help:"Minimum level of the server's log: debug, info, warn or error." default:"info" placeholder:"LEVEL"`
	LogSize   int64      `config:"LogSize" help:"Maximum size of the kept output of one function." placeholder:"BYTES"`
}
