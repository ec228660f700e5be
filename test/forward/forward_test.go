// Package forward_test tests calls of functions whose home is another node, with real
// servers, a real database and real connections.
package forward_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/clustertest"
	"github.com/jeton-dev/jeton/test/deploy"
)

func TestMain(m *testing.M) { clustertest.Main(m) }

// code is a function that shows what it receives, and answers in several ways.
const code = `package f

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

func Handle(w http.ResponseWriter, r *http.Request) {
	flush := http.NewResponseController(w)
	switch r.URL.Path {
	case "/echo":
		flush.EnableFullDuplex()
		flush.Flush()
		b := make([]byte, 1024)
		for {
			n, err := r.Body.Read(b)
			w.Write(b[:n])
			flush.Flush()
			if err != nil {
				return
			}
		}
	case "/trailers":
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "17")
		w.Header().Set(http.TrailerPrefix+"X-Late", "late")
	case "/upgrade":
		c, b, err := flush.Hijack()
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(c, b)
		c.Close()
	case "/slow":
		flush.Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	case "/never":
		<-r.Context().Done()
	case "/sleep":
		d, _ := time.ParseDuration(r.URL.Query().Get("for"))
		time.Sleep(d)
		io.WriteString(w, "slept")
	case "/fake":
		// What a node sends to another one.
		w.Header().Set("Jeton-Forwarded", "membership=99999999")
		w.WriteHeader(421)
	case "/hints":
		w.Header().Set("Link", "</x>")
		w.WriteHeader(103)
		fmt.Fprint(w, "hinted")
	default:
		body, _ := io.ReadAll(r.Body)
		json.NewEncoder(w).Encode(map[string]any{"header": r.Header, "path": r.URL.RequestURI(), "host": r.Host, "size": len(body)})
	}
}
`

// files are the function as an archive.
func files() map[string]string {
	return map[string]string{"go.mod": "module example.com/f\n\ngo 1.24\n", "f.go": code}
}

// world is a cluster with a function.
type world struct {
	*clustertest.Cluster

	t *testing.T
	f *function.Function
	// home serves the function, and away is another node.
	home, away *clustertest.Node
}

// fast makes a dead node be fenced soon.
func fast(c *server.Config) { c.Lease, c.LeaseMargin = 2*time.Second, 500*time.Millisecond }

// newWorld deploys a function at its home.
func newWorld(t *testing.T, c *clustertest.Cluster, change func(*function.CreateFunctionRequest)) *world {
	t.Helper()
	api := function.NewAPI(c.Nodes[0].Client())
	n, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "forward"})
	if err != nil {
		t.Fatal(err)
	}
	often, patience := 20*time.Millisecond, await.Patience
	if _, err := api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: &often, Timeout: &patience}); err != nil {
		t.Fatal(err)
	}
	request := &function.CreateFunctionRequest{
		NamespaceID: n.ID, Name: "f", Runtime: "go126", Privacy: function.FunctionPrivacyPublic, Timeout: &scw.Duration{Seconds: 30},
	}
	if change != nil {
		change(request)
	}
	f, err := deploy.Function(t.Context(), api, request, files())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Cluster: c, t: t, f: f, home: c.Home(f.ID)}
	w.away = c.Others(w.home)[0]
	return w
}

// request returns a request for the function at a node.
func (w *world) request(n *clustertest.Node, method, path string, body io.Reader) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, n.GatewayURL+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Host = w.f.DomainName
	return r
}

// do sends a request and returns the answer with its body.
func (w *world) do(r *http.Request) (*http.Response, string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), await.Patience)
	defer cancel()
	response, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response, string(body)
}

func (w *world) get(n *clustertest.Node, path string) (int, string) {
	w.t.Helper()
	response, body := w.do(w.request(n, http.MethodGet, path, nil))
	return response.StatusCode, body
}

// shown is what the function has received.
type shown struct {
	Header     http.Header
	Path, Host string
	Size       int
}

func show(t *testing.T, body string) shown {
	t.Helper()
	var s shown
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return s
}

func TestForward(t *testing.T) {
	c := clustertest.Start(t, 3)
	w := newWorld(t, c, nil)
	t.Run("Served", w.testServed)
	t.Run("SameAsAtHome", w.testSameAsAtHome)
	t.Run("Streams", w.testStreams)
	t.Run("StreamsSlowBody", w.testStreamsSlowBody)
	t.Run("PassesTrailers", w.testTrailers)
	t.Run("Upgrades", w.testUpgrade)
	t.Run("Cancels", w.testCancel)
	t.Run("TimesOut", w.testTimeout)
	t.Run("HidesInternalHeader", w.testInternalHeader)
	t.Run("RefusesLargeBody", w.testLargeBody)
	t.Run("PassesHints", w.testHints)
	t.Run("Private", w.testPrivate)
}

func (w *world) testServed(t *testing.T) {
	for _, n := range w.Nodes {
		if status, body := w.get(n, "/x?y=%2F"); status != http.StatusOK || show(t, body).Path != "/x?y=%2F" {
			t.Errorf("a call at %s: got %d %s", n.Name, status, body)
		}
	}
	if got := gauge(t, w.away, "jeton_calls_forwarded_total{", `class="2xx"`); got == "0" {
		t.Errorf("%s has forwarded %q calls", w.away.Name, got)
	}
	if got := gauge(t, w.home, "jeton_calls_forwarded_total{", `class="2xx"`); got != "0" {
		t.Errorf("the home has forwarded %s calls", got)
	}
}

// A forwarded call and a call at the home look the same to the function and to the caller.
func (w *world) testSameAsAtHome(t *testing.T) {
	send := func(n *clustertest.Node, path string) (*http.Response, shown) {
		r := w.request(n, http.MethodPost, path, strings.NewReader("body"))
		r.Header.Set("X-Request-Id", "my-id")
		r.Header.Set("X-Forwarded-For", "6.6.6.6") // This client is not a trusted proxy.
		r.Header.Set("Forwarded", "for=6.6.6.6")
		r.Header.Set("Te", "trailers")
		r.Header.Set("Connection", "X-Hop")
		r.Header.Set("X-Hop", "1")
		response, body := w.do(r)
		s := show(t, body)
		s.Header.Del("Traceparent") // Each call has its own span.
		response.Header.Del("Date")
		return response, s
	}
	for _, path := range []string{"/a%20b?c=d", "/functions/" + w.f.ID + "/a"} {
		there, seenThere := send(w.home, path)
		here, seenHere := send(w.away, path)
		if got, want := jsonOf(t, seenHere), jsonOf(t, seenThere); got != want {
			t.Errorf("the function receives a forwarded call as\n%s\nand a call at its home as\n%s", got, want)
		}
		if got, want := jsonOf(t, here.Header), jsonOf(t, there.Header); got != want {
			t.Errorf("the caller receives headers %s from another node and %s from the home", got, want)
		}
		if got := here.Header["X-Request-Id"]; len(got) != 1 || got[0] != "my-id" {
			t.Errorf("the request ID in the answer is %q", got)
		}
		if seenHere.Header.Get("X-Forwarded-For") != "127.0.0.1" || seenHere.Size != 4 {
			t.Errorf("the function receives %+v", seenHere)
		}
	}
	r := w.request(w.away, http.MethodGet, "/functions/"+w.f.ID+"/p?q=1", nil)
	r.Host = "localhost"
	if response, body := w.do(r); response.StatusCode != http.StatusOK || show(t, body).Path != "/p?q=1" {
		t.Errorf("a call with a path-style address: got %d %s", response.StatusCode, body)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each part of the request is answered before the next is sent, over HTTP/2.
func (w *world) testStreams(t *testing.T) {
	body, send := io.Pipe()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer client.CloseIdleConnections()
	r := w.request(w.away, http.MethodPost, "/echo", body)
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	part := make([]byte, 1000)
	for i := range 10 {
		sent := bytes.Repeat([]byte{byte('a' + i)}, len(part))
		if _, err := send.Write(sent); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, part); err != nil || !bytes.Equal(part, sent) {
			t.Fatalf("part %d: got %.10s, %v", i, part, err)
		}
	}
	_ = send.Close()
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) != 0 {
		t.Errorf("got %q, %v at the end", rest, err)
	}
}

// A long body with 100 Continue.
func (w *world) testStreamsSlowBody(t *testing.T) {
	const size = 3 << 20
	r := w.request(w.away, http.MethodPut, "/x", bytes.NewReader(make([]byte, size)))
	r.Header.Set("Expect", "100-continue")
	response, body := w.do(r)
	if response.StatusCode != http.StatusOK || show(t, body).Size != size {
		t.Errorf("got %d %.100s", response.StatusCode, body)
	}
	if got := show(t, body).Header.Get("Expect"); got != "" {
		t.Errorf("the function receives Expect: %s", got)
	}
}

func (w *world) testTrailers(t *testing.T) {
	response, text := w.do(w.request(w.away, http.MethodPost, "/trailers", strings.NewReader("body")))
	if text != "body" || response.Trailer.Get("X-Sum") != "17" || response.Trailer.Get("X-Late") != "late" {
		t.Errorf("got %q and trailers %v", text, response.Trailer)
	}
}

// upgrade opens an upgraded connection at a node.
func (w *world) upgrade(t *testing.T, n *clustertest.Node, header string) (net.Conn, *bufio.Reader) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(n.GatewayURL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(await.Patience))
	if _, err := io.WriteString(conn, "GET /upgrade HTTP/1.1\r\nHost: "+w.f.DomainName+"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n"+header+"\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get(gateway.ForwardedHeader) != "" {
		t.Fatalf("got status %s and headers %v", response.Status, response.Header)
	}
	for _, line := range []string{"hello\n", strings.Repeat("x", 100_000) + "\n"} {
		go func() { _, _ = io.WriteString(conn, line) }()
		if got, err := reader.ReadString('\n'); got != line || err != nil {
			t.Fatalf("got %.20q, %v", got, err)
		}
	}
	return conn, reader
}

func (w *world) testUpgrade(t *testing.T) {
	conn, _ := w.upgrade(t, w.away, "")
	_ = conn.Close()
	await.True(t, "the instance of the upgraded call ends", func() bool { return busy(t, w.home) == "0" })
}

// busy returns the number of busy instances of a node.
func busy(t *testing.T, n *clustertest.Node) string {
	t.Helper()
	return gauge(t, n, "jeton_instances{", `state="busy"`)
}

// waiting returns the number of calls that wait for an instance at a node.
func waiting(t *testing.T, n *clustertest.Node) string {
	t.Helper()
	return gauge(t, n, "jeton_queue_length{", `function_id="`)
}

// gauge returns the largest value of the series of a node whose line has a prefix and a label.
func gauge(t *testing.T, n *clustertest.Node, prefix, label string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.OpsURL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	largest := "0"
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, prefix) && strings.Contains(line, label) {
			largest = max(largest, strings.TrimSpace(line[strings.LastIndex(line, " "):]))
		}
	}
	return largest
}

// A caller that disconnects ends the call at the home.
func (w *world) testCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	response, err := http.DefaultClient.Do(w.request(w.away, http.MethodGet, "/slow", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := busy(t, w.home); got != "1" {
		t.Errorf("%s instances are busy, want 1", got)
	}
	cancel()
	await.True(t, "the instance of the cancelled call ends", func() bool { return busy(t, w.home) == "0" })
}

func (w *world) testTimeout(t *testing.T) {
	api := function.NewAPI(w.Nodes[0].Client())
	set := func(seconds int64) {
		if _, err := api.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: w.f.ID, Timeout: &scw.Duration{Seconds: seconds}, Redeploy: scw.BoolPtr(false)}); err != nil {
			t.Fatal(err)
		}
	}
	set(1)
	defer set(30)
	for _, n := range []*clustertest.Node{w.home, w.away} {
		if status, body := w.get(n, "/never"); status != http.StatusGatewayTimeout {
			t.Errorf("at %s: got %d %s, want 504", n.Name, status, body)
		}
	}
}

// Neither a caller nor a function can send the header of the nodes.
func (w *world) testInternalHeader(t *testing.T) {
	for _, n := range w.Nodes {
		r := w.request(n, http.MethodGet, "/", nil)
		r.Header.Set(gateway.ForwardedHeader, "1 1000 https 6.6.6.6:1")
		response, body := w.do(r)
		if response.StatusCode != http.StatusOK {
			t.Errorf("a caller with the header at %s: got %d %s", n.Name, response.StatusCode, body)
			continue
		}
		if s := show(t, body); s.Header.Get(gateway.ForwardedHeader) != "" || s.Header.Get("X-Forwarded-For") != "127.0.0.1" || s.Header.Get("X-Forwarded-Proto") != "http" {
			t.Errorf("the function receives the header through %s: %v", n.Name, s.Header)
		}
		response, _ = w.do(w.request(n, http.MethodGet, "/fake", nil))
		if response.StatusCode != http.StatusMisdirectedRequest || response.Header.Get(gateway.ForwardedHeader) != "" {
			t.Errorf("an answer with the header through %s: got %d %v", n.Name, response.StatusCode, response.Header)
		}
	}
	if got := gauge(t, w.away, "jeton_call_forward_retries_total", ""); got != "0" {
		t.Errorf("the answer of a function made %s retries", got)
	}
}

func (w *world) testLargeBody(t *testing.T) {
	for _, size := range []int64{7 << 20, -1} {
		r := w.request(w.away, http.MethodPost, "/x", io.LimitReader(zeros{}, 7<<20))
		r.ContentLength = size
		if response, body := w.do(r); response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a body of 7 MiB, length %d: got %d %s", size, response.StatusCode, body)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func (w *world) testHints(t *testing.T) {
	for _, n := range []*clustertest.Node{w.home, w.away} {
		if status, body := w.get(n, "/hints"); status != http.StatusOK || body != "hinted" {
			t.Errorf("at %s: got %d %s", n.Name, status, body)
		}
	}
}

// The home admits a call again, and the token does not reach the function.
func (w *world) testPrivate(t *testing.T) {
	api := function.NewAPI(w.Nodes[0].Client())
	private := function.FunctionPrivacyPrivate
	if _, err := api.UpdateFunction(&function.UpdateFunctionRequest{FunctionID: w.f.ID, Privacy: private, Redeploy: scw.BoolPtr(false)}); err != nil {
		t.Fatal(err)
	}
	token, err := api.CreateToken(&function.CreateTokenRequest{FunctionID: &w.f.ID})
	if err != nil {
		t.Fatal(err)
	}
	r := w.request(w.away, http.MethodGet, "/", nil)
	r.Header.Set("X-Auth-Token", token.Token)
	response, body := w.do(r)
	if response.StatusCode != http.StatusOK || strings.Contains(body, token.Token) {
		t.Errorf("a call with the token: got %d %.200s", response.StatusCode, body)
	}
	// An upgraded connection ends when its token is revoked, at both nodes.
	conn, reader := w.upgrade(t, w.away, "X-Auth-Token: "+token.Token+"\r\n")
	if _, err := api.DeleteToken(&function.DeleteTokenRequest{TokenID: token.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the upgraded connection of a revoked token continues")
	}
	_ = conn.Close()
	for _, n := range w.Nodes {
		r := w.request(n, http.MethodGet, "/", nil)
		r.Header.Set("X-Auth-Token", token.Token)
		if response, _ := w.do(r); response.StatusCode != http.StatusForbidden {
			t.Errorf("a revoked token at %s: got %d", n.Name, response.StatusCode)
		}
	}
}
