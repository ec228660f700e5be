package peers

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/store"
)

// Identity proves which member is at the other end of a connection. Package identity
// implements it.
type Identity interface {
	ServerConfig() *tls.Config
	ClientConfig(incarnation string) *tls.Config
	// Peer returns the incarnation at the other end of a server's connection, "" if its
	// certificate is not valid any more.
	Peer(*tls.ConnectionState) string
}

// Node is this node.
type Node interface {
	// Member returns the member with an incarnation, and whether there is one.
	Member(incarnation string) (store.Member, bool)
	// Acknowledge waits until this node has applied a change, or ctx ends.
	Acknowledge(ctx context.Context, p store.Position) cluster.Acknowledgement
}

// Config has the dependencies and limits of Peers. Identity and Log are required.
type Config struct {
	Identity Identity
	Log      *slog.Logger
	// MaxConnections is the maximum number of connections from other nodes; zero means
	// DefaultMaxConnections.
	MaxConnections int
}

// Peers are the connections of this node with others. It is safe for concurrent use.
type Peers struct {
	config Config
	// node, calls and interim are set before the server runs.
	node    Node
	calls   http.Handler
	interim func(r *http.Request, status int, header http.Header) bool
	routes  *http.ServeMux

	mu sync.Mutex
	// transports are by incarnation.
	transports map[string]*transport
}

// New returns peers without a node. Returns an error if a required field is missing.
func New(c Config) (*Peers, error) {
	if c.Identity == nil || c.Log == nil {
		return nil, errors.New("configure peers: Identity and Log are required")
	}
	p := &Peers{config: c, routes: http.NewServeMux(), transports: map[string]*transport{}}
	p.Handle("POST "+acknowledgePath, http.HandlerFunc(p.acknowledge))
	return p, nil
}

// Attach sets this node. It must be called before the server runs.
func (p *Peers) Attach(node Node) { p.node = node }

// HandleCalls sets the handler of forwarded calls: those with the header CallHeader. Interim
// is called with informational answers to calls that this node forwards, and reports whether
// it has used them. It must be called before the server runs.
func (p *Peers) HandleCalls(calls http.Handler, interim func(r *http.Request, status int, header http.Header) bool) {
	p.calls, p.interim = calls, interim
}

// Handle adds a handler of requests that members send with Do, for a pattern of
// http.ServeMux. The body of a request is limited to MaxBody bytes and 10 seconds. It must be
// called before the server runs.
func (p *Peers) Handle(pattern string, handler http.Handler) {
	p.routes.Handle(pattern, limitBody(handler))
}

// CallHeader is the header of forwarded calls, with what the receiving node decided. No
// client and no function can send it.
const CallHeader = "Jeton-Forwarded"

// NotMember is the value of CallHeader in the answer to a node that is not a member.
const NotMember = "not-a-member"

// The limits of the port.
const (
	// DefaultMaxConnections is the default of Config.MaxConnections.
	DefaultMaxConnections = 16384
	// MaxBody is the maximum size in bytes of the body of an internal request.
	MaxBody = 64 << 10
	// maxHeader exceeds the maximum header of a call, because of CallHeader.
	maxHeader = 1<<20 + 64<<10
	// headerTimeout is the maximum time of a handshake, and of the header of a request.
	headerTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)
