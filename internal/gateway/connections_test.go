package gateway_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/testlog"
)

func TestConnections_CloseExcessConnections(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits *gateway.Connections
		// from are the client addresses in order; served is whether each is served.
		from   []string
		served []bool
	}{
		"total":        {&gateway.Connections{Max: 2}, []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}, []bool{true, true, false}},
		"per address":  {&gateway.Connections{Max: 9, PerAddress: 1}, []string{"127.0.0.1", "127.0.0.1", "127.0.0.2"}, []bool{true, false, true}},
		"exempt proxy": {&gateway.Connections{Max: 3, PerAddress: 1, Exempt: proxies(t, "127.0.0.1/32")}, []string{"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"}, []bool{true, true, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logged := &testlog.Buffer{}
			test.limits.Log = slog.New(slog.NewTextHandler(logged, nil))
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") }))
			server.Listener = test.limits.Listener(server.Listener, true)
			server.Start()
			t.Cleanup(server.Close)
			dial := func(from string) (net.Conn, string) {
				dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
				connection, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				_ = connection.SetReadDeadline(time.Now().Add(20 * time.Second))
				_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				answer := make([]byte, 1024)
				n, _ := connection.Read(answer)
				return connection, string(answer[:n])
			}
			open := map[int]net.Conn{}
			for i, from := range test.from {
				connection, answer := dial(from)
				open[i] = connection
				// The 503 can be lost with its connection, so only 200 is checked.
				if served := strings.HasPrefix(answer, "HTTP/1.1 200"); served != test.served[i] {
					t.Errorf("connection %d from %s: got served %t, want %t: %q", i, from, served, test.served[i], answer)
				}
			}
			if !strings.Contains(logged.String(), "too many are open") {
				t.Errorf("got log %s, want a warning", logged)
			}
			// A closed connection does not count.
			_ = open[0].Close()
			await.True(t, "a new connection is served", func() bool {
				connection, answer := dial(test.from[0])
				_ = connection.Close()
				return strings.HasPrefix(answer, "HTTP/1.1 200")
			})
			for _, connection := range open {
				_ = connection.Close()
			}
		})
	}
}
