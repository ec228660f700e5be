package jetontest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/jeton-dev/jeton/test/testlog"
)

// collector takes the spans of all servers of a test program that name no other
// one.
var collector = sync.OnceValue(func() *spanCollector {
	c := &spanCollector{}
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	if os.Getenv(endpoint) == "" {
		// It goes on until the program ends, as servers may.
		//nolint:usetesting // For all tests, and for parallel ones too.
		_ = os.Setenv(endpoint, httptest.NewServer(c).URL)
	}
	return c
})

// spanCollector is a small OpenTelemetry collector that keeps the bytes that it
// is sent.
type spanCollector struct{ buffer testlog.Buffer }

// ServeHTTP implements http.Handler.
func (c *spanCollector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(&c.buffer, r.Body)
}

func (c *spanCollector) received() []byte { return []byte(c.buffer.String()) }
