package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// raw sends bytes to the gateway and returns the first answer.
func (w *world) raw(request string) (int, string) {
	w.t.Helper()
	status, _, body := w.rawAnswer(request)
	return status, body
}

// rawAnswer sends bytes to the gateway and returns the answer. The status is 0 if there
// is no answer.
func (w *world) rawAnswer(request string) (int, http.Header, string) {
	w.t.Helper()
	var dialer net.Dialer
	connection := must[net.Conn](w.t)(dialer.DialContext(w.t.Context(), "tcp", strings.TrimPrefix(w.GatewayURL, "http://")))
	defer connection.Close()
	// The server may answer and close the connection before everything is sent.
	go func() { _, _ = io.WriteString(connection, request) }()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer response.Body.Close()
	// The connection is reset if the server closes it before it has read everything.
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(body)
}

const whoCalls = "return event['headers'].get('X-Forwarded-For', '')"

func TestGateway_ProxyProtocol(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		trusted string
		header  string
		status  int
		body    string
	}{
		"from a trusted proxy":    {"127.0.0.0/8", "PROXY TCP4 203.0.113.7 127.0.0.1 1234 80\r\n", 200, "203.0.113.7"},
		"without the header":      {"127.0.0.0/8", "", 0, ""},
		"from an untrusted proxy": {"10.0.0.0/8", "PROXY TCP4 203.0.113.7 127.0.0.1 1234 80\r\n", 400, ""},
		"from a plain caller":     {"10.0.0.0/8", "", 200, "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *server.Config) {
				c.ProxyProtocol, c.TrustedProxies = true, gateway.Proxies{netip.MustParsePrefix(test.trusted)}
			})
			f := w.function(python(w.namespace("proxied").ID, "f"), pythonHandler(whoCalls))
			status, body := w.raw(fmt.Sprintf("%sGET / HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\n\r\n", test.header, f.DomainName))
			if status != test.status || status == 200 && body != test.body {
				t.Errorf("got %d %q, want %d %q", status, body, test.status, test.body)
			}
		})
	}
}

// The test calls a private function over each protocol of the plain listener.
func TestGateway_Protocols(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := python(w.namespace("protocols").ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("return 'hello'"))
	token := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	for name, client := range map[string]*http.Client{
		"HTTP/1.1": {Transport: &http.Transport{}}, "HTTP/2.0": {Transport: &http.Transport{Protocols: protocols}},
	} {
		for presented, want := range map[string]int{token.Token: 200, "": 403, token.Token + "x": 403} {
			r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, w.GatewayURL, nil))
			r.Host = f.DomainName
			r.Header.Set("X-Auth-Token", presented)
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want || response.Proto != name {
				t.Errorf("%s: got %d over %s, want %d", name, response.StatusCode, response.Proto, want)
			}
		}
		client.CloseIdleConnections()
	}
	for _, alive := range []string{"", "Connection: keep-alive\r\n"} {
		status, header, _ := w.rawAnswer("GET / HTTP/1.0\r\nHost: " + f.DomainName + "\r\n" + alive + "\r\n")
		wantStatus(t, "HTTP/1.0", status, 426)
		if header.Get("Upgrade") != "HTTP/1.1" || header.Get("Connection") != "Upgrade, close" {
			t.Errorf("HTTP/1.0: got headers %v", header)
		}
	}
	status, _ := w.raw("GET / HTTP/1.1\r\nHost: " + f.DomainName + "\r\nX-Auth-Token: " + strings.Repeat("x", 1_000_000) + "\r\n\r\n")
	wantStatus(t, "a token of 1 MB", status, 403)
	status, _ = w.raw("GET / HTTP/1.1\r\nHost: " + f.DomainName + "\r\nX-Auth-Token: " + strings.Repeat("x", 1_100_000) + "\r\n\r\n")
	wantStatus(t, "a head over 1 MiB", status, 431)
}

// If the client disconnects, the call ends, and its instance serves no other call.
func TestCall_ClientDisconnects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside)
	o := newOutside(t)
	f := w.function(python(w.namespace("goes").ID, "f"), o.handler(
		"if event['path'] == '/hang': meet('call').wait()",
		"return instance.number",
	))
	_, first := w.call(f, "/", "")
	ctx, cancel := context.WithCancel(t.Context())
	r := must[*http.Request](t)(http.NewRequestWithContext(ctx, http.MethodGet, w.GatewayURL+"/hang", nil))
	r.Host = f.DomainName
	gone := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			response.Body.Close()
		}
		gone <- err
	}()
	await.True(t, "the function is called", func() bool { return o.count("call") > 0 })
	cancel()
	if err := <-gone; err == nil {
		t.Error("the call got an answer")
	}
	await.True(t, "the instance is stopped", func() bool { return !o.alive(first) })
	if status, second := w.call(f, "/", ""); status != 200 || second == first {
		t.Errorf("got %d %s", status, second)
	}
}

// A stop closes an upgraded connection to an instance of a replaced revision.
func TestStop_ClosesUpgradedConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) { c.StopTimeout = 500 * time.Millisecond })
	echo := "package f\n\nimport (\n\t\"io\"\n\t\"net/http\"\n)\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {\n" +
		"\tc, b, err := http.NewResponseController(w).Hijack()\n\tif err != nil {\n\t\treturn\n\t}\n" +
		"\tio.WriteString(c, \"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n\")\n\tio.Copy(c, b)\n}\n"
	f := w.function(&function.CreateFunctionRequest{
		NamespaceID: w.namespace("stop").ID, Name: "f", Runtime: "go126", Privacy: function.FunctionPrivacyPublic,
	}, map[string]string{"go.mod": goMod, "f.go": echo})
	var dialer net.Dialer
	connection := must[net.Conn](t)(dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(w.GatewayURL, "http://")))
	defer connection.Close()
	must[int](t)(io.WriteString(connection, "GET / HTTP/1.1\r\nHost: "+f.DomainName+"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"))
	reader := bufio.NewReader(connection)
	response := must[*http.Response](t)(http.ReadResponse(reader, nil))
	wantStatus(t, "the upgrade", response.StatusCode, http.StatusSwitchingProtocols)
	must[int](t)(io.WriteString(connection, "hello\n"))
	if line := must[string](t)(reader.ReadString('\n')); line != "hello\n" {
		t.Errorf("got %q", line)
	}
	w.begin(f.ID, map[string]string{"go.mod": goMod, "f.go": echo + "\n// again\n"})
	w.settled(f.ID)
	w.Stop() // which does not return while the connection is waited for
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}
