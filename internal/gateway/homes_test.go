package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

// membership is what a node has applied: the home of all functions, and a number.
type membership struct {
	home   string
	number int64
}

// cluster is the latest membership, and the nodes by name.
type cluster struct {
	mu     sync.Mutex
	latest membership
	nodes  map[string]*clusterNode
}

// clusterNode is a gateway with a server for forwarded calls. It implements gateway.Homes.
type clusterNode struct {
	*world

	cluster *cluster
	name    string
	server  *httptest.Server
	applied membership
	// stuck means that the node cannot catch up, unsettled that it has no lease.
	// rejoined means that the incarnation of the node is another one now.
	stuck, unsettled, rejoined atomic.Bool
	// presence counts the questions whether a node is present.
	presence atomic.Int64
	// received counts forwarded calls, and sent the calls that this node forwards.
	received, sent atomic.Int64
	// before is called with each forwarded call before it is served.
	before atomic.Pointer[func(w http.ResponseWriter, r *http.Request)]
	front  *httptest.Server
}

// newCluster returns a cluster in which the node b is the home.
func newCluster() *cluster {
	return &cluster{latest: membership{"b", 1}, nodes: map[string]*clusterNode{}}
}

// node adds a node with a public function.
func (c *cluster) node(t *testing.T, name string, function http.HandlerFunc, configure ...func(*gateway.Config)) *clusterNode {
	t.Helper()
	n := &clusterNode{cluster: c, name: name, applied: c.latest}
	n.world = newWorld(t, function, append([]func(*gateway.Config){func(config *gateway.Config) {
		config.Homes, config.Settled, config.NewID = n, func() bool { return !n.unsettled.Load() }, func() string { return "made-by-" + name }
	}}, configure...)...)
	n.function(func(f *functions.Function) { f.Privacy, f.Runtime, f.Timeout = functions.Public, "go126", time.Minute })
	forwarded := n.Forwarded()
	n.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.received.Add(1)
		if f := n.before.Load(); f != nil {
			(*f)(w, r)
		}
		forwarded.ServeHTTP(w, r)
	}))
	t.Cleanup(n.server.Close)
	n.front = httptest.NewServer(n.handler)
	t.Cleanup(n.front.Close)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[name] = n
	return n
}

// move makes a node the home. Only the given nodes have applied that.
func (c *cluster) move(home string, applied ...*clusterNode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = membership{home, c.latest.number + 1}
	for _, n := range applied {
		n.applied = c.latest
	}
}

// remove removes the node b from the members, so that d is the home. All nodes apply that.
func (c *cluster) remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, "b")
	c.latest = membership{"d", c.latest.number + 1}
	for _, n := range c.nodes {
		n.applied = c.latest
	}
}

func (n *clusterNode) view() membership {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	return n.applied
}

// Home implements gateway.Homes.
func (n *clusterNode) Home(string) (store.Member, bool) {
	home := n.view().home
	return store.Member{Incarnation: home, Node: home}, home == n.name
}

// Member implements gateway.Homes.
func (n *clusterNode) Member(incarnation string) (store.Member, bool) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	m, ok := n.cluster.nodes[incarnation]
	return store.Member{Incarnation: incarnation}, ok && !m.rejoined.Load()
}

// Present implements gateway.Homes.
func (n *clusterNode) Present(m store.Member) bool {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	n.presence.Add(1)
	_, ok := n.cluster.nodes[m.Node]
	return ok
}

// Membership implements gateway.Homes.
func (n *clusterNode) Membership() int64 { return n.view().number }

// CatchUp implements gateway.Homes.
func (n *clusterNode) CatchUp(_ context.Context, number int64) error {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	if n.stuck.Load() || number > n.cluster.latest.number {
		return errors.New("stuck")
	}
	n.applied = n.cluster.latest
	return nil
}

// RoundTrip implements gateway.Homes.
func (n *clusterNode) RoundTrip(home store.Member, r *http.Request) (*http.Response, error) {
	n.sent.Add(1)
	n.cluster.mu.Lock()
	to := n.cluster.nodes[home.Incarnation]
	n.cluster.mu.Unlock()
	if to == nil {
		return nil, errors.New("connection refused")
	}
	transport := &upstream.Transport{Interim: n.Interim, Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", to.server.Listener.Addr().String())
	}}
	return transport.RoundTrip(r)
}

// do sends a request to the gateway of a node over a connection, and returns status and body.
func (n *clusterNode) do(t *testing.T, method string, body io.Reader) (int, string, http.Header) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, n.front.URL+"/x", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// named answers with the name of a node and the body.
func named(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, name+":"+string(body))
	}
}

// stream is a body without a length, which is not buffered.
func stream(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }

func (n *clusterNode) want(t *testing.T, method string, body io.Reader, status int, text string) {
	t.Helper()
	if got, answer, header := n.do(t, method, body); got != status || !strings.HasPrefix(answer, text) || header.Get(gateway.ForwardedHeader) != "" {
		t.Errorf("got %d %q %v, want %d %q", got, answer, header, status, text)
	}
}

func TestHomes_ForwardsToHome(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a, b := c.node(t, "a", named("a")), c.node(t, "b", named("b"))
	a.want(t, http.MethodGet, nil, 200, "b:")
	a.want(t, http.MethodPost, strings.NewReader("buffered"), 200, "b:buffered")
	a.want(t, http.MethodPost, stream("streamed"), 200, "b:streamed")
	b.want(t, http.MethodGet, nil, 200, "b:")
	if got := b.received.Load(); got != 3 {
		t.Errorf("the home has received %d forwarded calls, want 3", got)
	}
}

// A node that sends a call to a former home applies the changes that it lacks.
func TestHomes_RetriesAfterMisdirection(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func() io.Reader{"buffered": func() io.Reader { return strings.NewReader("x") }, "streamed": func() io.Reader { return stream("x") }} {
		c := newCluster()
		a, b, d := c.node(t, "a", named("a")), c.node(t, "b", named("b")), c.node(t, "d", named("d"))
		c.move("d", b)
		a.want(t, http.MethodPost, body(), 200, "d:x")
		if b.received.Load() != 1 || d.received.Load() != 1 {
			t.Errorf("%s: the nodes have received %d and %d calls, want one each", name, b.received.Load(), d.received.Load())
		}
		// The new home is behind: it catches up before it answers.
		c.move("b", a)
		a.want(t, http.MethodPost, body(), 200, "b:x")
		// The sender has become the home.
		c.move("a", b, d)
		a.want(t, http.MethodPost, body(), 200, "a:x")
	}
}

// Nodes that do not agree answer 503. A forwarded call is never forwarded again.
func TestHomes_NeverLoops(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a, b := c.node(t, "a", named("a")), c.node(t, "b", named("b"))
	c.move("a", b)
	a.stuck.Store(true)
	status, body, header := a.do(t, http.MethodGet, nil)
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("got %d %q %v, want 503 with Retry-After", status, body, header)
	}
	if got := b.received.Load(); got != 2 {
		t.Errorf("the call was sent %d times, want twice", got)
	}
	if a.received.Load()+b.sent.Load() != 0 {
		t.Error("a forwarded call was forwarded again")
	}
}

// A home that ends before it has acquired an instance: the call is retried until another node
// is the home.
func TestHomes_RetriesCallsThatReachedNoInstance(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func() io.Reader{"buffered": func() io.Reader { return strings.NewReader("x") }, "streamed": func() io.Reader { return stream("x") }, "none": func() io.Reader { return nil }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster()
			a, b, _ := c.node(t, "a", named("a")), c.node(t, "b", named("b")), c.node(t, "d", named("d"))
			abort := func(http.ResponseWriter, *http.Request) {
				if b.received.Load() == 3 {
					c.remove()
				}
				panic(http.ErrAbortHandler)
			}
			b.before.Store(&abort)
			want := "d:x"
			if name == "none" {
				want = "d:"
			}
			a.want(t, http.MethodPost, body(), 200, want)
			if got := b.received.Load(); got != 3 {
				t.Errorf("the first home has received %d calls, want 3", got)
			}
		})
	}
}

// A home that hangs is given up when it is fenced.
func TestHomes_RetriesWhenHangingHomeIsFenced(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a, b, _ := c.node(t, "a", named("a")), c.node(t, "b", named("b")), c.node(t, "d", named("d"))
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http notices a lost connection after the body only.
		c.remove()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	b.before.Store(&hang)
	a.want(t, http.MethodPost, strings.NewReader("x"), 200, "d:x")
}

// A home that ends after it has acquired an instance: the call may have run.
func TestHomes_AnswersBadGatewayAfterInstance(t *testing.T) {
	t.Parallel()
	c := newCluster()
	var b *clusterNode
	calls := atomic.Int64{}
	a := c.node(t, "a", named("a"))
	b = c.node(t, "b", func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		b.server.CloseClientConnections()
	})
	a.want(t, http.MethodGet, nil, http.StatusBadGateway, "")
	a.want(t, http.MethodPost, strings.NewReader("x"), http.StatusBadGateway, "")
	a.want(t, http.MethodPost, stream("x"), http.StatusBadGateway, "")
	if got := calls.Load(); got != 3 {
		t.Errorf("the function was called %d times, want once per call", got)
	}
}

// A home without a lease touches no instance, and the call waits for another one.
func TestHomes_RetriesWhenHomeHasNoLease(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a, b, _ := c.node(t, "a", named("a")), c.node(t, "b", named("b")), c.node(t, "d", named("d"))
	b.unsettled.Store(true)
	fence := func(http.ResponseWriter, *http.Request) {
		if b.received.Load() == 2 {
			c.remove()
		}
	}
	b.before.Store(&fence)
	a.want(t, http.MethodPost, strings.NewReader("x"), 200, "d:x")
}

// The receiving node decides with its own lease again after every wait.
func TestHomes_ReceivingNodeLosesLease(t *testing.T) {
	t.Parallel()
	c := newCluster()
	a, b := c.node(t, "a", named("a")), c.node(t, "b", named("b"))
	abort := func(http.ResponseWriter, *http.Request) {
		a.unsettled.Store(true)
		panic(http.ErrAbortHandler)
	}
	b.before.Store(&abort)
	a.want(t, http.MethodGet, nil, http.StatusServiceUnavailable, "")
	if got := b.received.Load(); got != 1 {
		t.Errorf("a node without a lease has forwarded %d calls, want one before", got)
	}
}

func TestHomes_ServesPublicFunctionsWithoutLease(t *testing.T) {
	t.Parallel()
	c := newCluster()
	allow := func(config *gateway.Config) { config.PublicWithoutLease = true }
	a, b := c.node(t, "a", named("a"), allow), c.node(t, "b", named("b"), allow)
	a.unsettled.Store(true)
	b.unsettled.Store(true)
	a.want(t, http.MethodGet, nil, 200, "b:")
	b.want(t, http.MethodGet, nil, 200, "b:")
	for _, n := range []*clusterNode{a, b} {
		n.function(func(f *functions.Function) { f.Runtime = "go126" })
		n.token("token", functions.Token{ID: tokenID(1), FunctionID: functionID})
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.Header.Set("X-Auth-Token", "token")
		if got := n.send(r); got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
			t.Errorf("a private function at %s without a lease: got %d, want 503", n.name, got.Code)
		}
		r.Host = "unknown.example.com"
		if got := n.send(r); got.Code != http.StatusServiceUnavailable {
			t.Errorf("an unknown hostname at %s without a lease: got %d, want 503", n.name, got.Code)
		}
	}
}

// Limits count at the home, whichever node receives the calls.
func TestHomes_LimitsCountAtHome(t *testing.T) {
	t.Parallel()
	c := newCluster()
	limit := func(config *gateway.Config) {
		config.Limits = gateway.Limits{CallerRate: 0.001, CallerBurst: 2}
	}
	a, b, d := c.node(t, "a", named("a"), limit), c.node(t, "b", named("b"), limit), c.node(t, "d", named("d"), limit)
	a.want(t, http.MethodGet, nil, 200, "b:")
	d.want(t, http.MethodGet, nil, 200, "b:")
	for _, n := range []*clusterNode{a, b, d} {
		n.want(t, http.MethodGet, nil, http.StatusTooManyRequests, "")
	}
}

// The receiving node refuses a body that is too long, also after it has sent a part of it.
func TestHomes_RefusesLongBody(t *testing.T) {
	t.Parallel()
	limit := func(config *gateway.Config) { config.MaxPayload = 200_000 }
	c := newCluster()
	a, _ := c.node(t, "a", named("a"), limit), c.node(t, "b", named("b"))
	for range 20 {
		a.want(t, http.MethodPost, stream(strings.Repeat("x", 300_000)), http.StatusRequestEntityTooLarge, "")
	}
}

func TestForwarded_RefusesOtherHeaders(t *testing.T) {
	t.Parallel()
	c := newCluster()
	b := c.node(t, "b", named("b"))
	for _, value := range []string{"", "x", "1 2 http"} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.Header.Set(gateway.ForwardedHeader, value)
		recorder := httptest.NewRecorder()
		b.Forwarded().ServeHTTP(recorder, r)
		if recorder.Code != http.StatusBadRequest {
			t.Errorf("%q: got %d, want 400", value, recorder.Code)
		}
	}
}

// A node that stops waits for forwarded calls, but not for upgraded connections.
func TestAwaitForwarded_WaitsForCallsOnly(t *testing.T) {
	t.Parallel()
	c := newCluster()
	running, proceed := make(chan struct{}), make(chan struct{})
	a := c.node(t, "a", named("a"))
	b := c.node(t, "b", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			close(running)
			<-proceed
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
		_ = conn.Close()
	})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", a.front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v", response, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if b.AwaitForwarded(ctx); ctx.Err() != nil {
		t.Error("the node waits for an upgraded connection")
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.want(t, http.MethodGet, nil, http.StatusOK, "")
	}()
	await.Receive(t, "the call at the function", running)
	short, cancelShort := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelShort()
	if b.AwaitForwarded(short); short.Err() == nil {
		t.Error("the node does not wait for a call")
	}
	close(proceed)
	<-ended
	if b.AwaitForwarded(ctx); ctx.Err() != nil {
		t.Error("the node waits for a call that has ended")
	}
}
