package jetontest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/jeton-dev/jeton/test/testlog"
)

// collector returns the OpenTelemetry collector of all servers of a test program that do
// not configure another one.
var collector = sync.OnceValue(func() *spanCollector {
	c := &spanCollector{}
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	if os.Getenv(endpoint) == "" {
		// The collector runs until the program ends, because servers may.
		//nolint:usetesting // The variable is for all tests, and some are parallel.
		_ = os.Setenv(endpoint, httptest.NewServer(c).URL)
	}
	return c
})

// spanCollector is a small OpenTelemetry collector that stores the received bytes.
type spanCollector struct{ buffer testlog.Buffer }

// ServeHTTP implements http.Handler.
func (c *spanCollector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(&c.buffer, r.Body)
}

func (c *spanCollector) received() []byte { return []byte(c.buffer.String()) }
