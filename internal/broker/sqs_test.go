package broker_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jeton-dev/jeton/internal/broker"
	"github.com/jeton-dev/jeton/internal/functions"
)

// plainOpener returns values unchanged.
type plainOpener struct{}

func (plainOpener) Open(sealed []byte, _ string) ([]byte, error) { return sealed, nil }

// countingWriter counts the bytes that are sent.
type countingWriter struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (w countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.sent.Add(int64(n))
	return n, err
}

// endless is an endless text.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestFetch_BoundsResponses(t *testing.T) {
	t.Parallel()
	const available = 64 << 20
	for name, answer := range map[string]http.HandlerFunc{
		"endless message": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.Copy(w, io.MultiReader(strings.NewReader(`{"Messages":[{"Body":"`), io.LimitReader(endless{}, available)))
		},
		"many empty messages": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.WriteString(w, `{"Messages":[{}`+strings.Repeat(",{}", 1000)+"]}")
		},
		"announced length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "67108864")
			_, _ = io.Copy(w, io.LimitReader(endless{}, available))
		},
		"endless error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.Copy(w, io.LimitReader(endless{}, available))
		},
		"long header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			_, _ = io.WriteString(w, "{}")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer(countingWriter{w, &sent}, r)
			}))
			t.Cleanup(service.Close)
			brokers := newBrokers(t, broker.BrokersConfig{Opener: plainOpener{}, Anywhere: true})
			source, err := brokers.Open(t.Context(), functions.Trigger{ExternalSQS: &functions.ExternalSQSQueue{
				Endpoint: service.URL, QueueURL: service.URL + "/q", AccessKey: "AK", Sealed: []byte("SK"),
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			if _, err := source.Fetch(t.Context(), 10); err == nil {
				t.Error("Fetch() succeeded, want an error")
			}
			service.CloseClientConnections()
			// The SDK makes three requests, and bytes in socket buffers count too.
			if got := sent.Load(); got >= available {
				t.Errorf("got %d bytes sent, want less than %d", got, available)
			}
		})
	}
}
