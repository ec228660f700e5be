package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// requests are requests per second at the API server.
type requests struct{ leases, others float64 }

// count counts the requests at the API server during a time. Watches are left out, and so are the
// requests of this program. It prints what the others are.
func (w *world) count(ctx context.Context, during time.Duration) (requests, error) {
	before, err := w.totals(ctx)
	if err != nil {
		return requests{}, err
	}
	began := time.Now()
	select {
	case <-time.After(during):
	case <-ctx.Done():
		return requests{}, ctx.Err()
	}
	after, err := w.totals(ctx)
	if err != nil {
		return requests{}, err
	}
	seconds := time.Since(began).Seconds()
	var r requests
	for _, what := range slices.Sorted(maps.Keys(after)) {
		rate := (after[what] - before[what]) / seconds
		switch {
		case rate == 0:
		case strings.Contains(what, "leases"):
			r.leases += rate
		default:
			r.others += rate
			fmt.Fprintf(os.Stderr, "%.3f requests/s: %s\n", rate, what)
		}
	}
	return r, nil
}

// totals returns the numbers of requests since the start of the API server, by verb and resource.
func (w *world) totals(ctx context.Context) (map[string]float64, error) {
	text, err := w.client.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of the API server: %w", err)
	}
	totals := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		labels, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "apiserver_request_total{"), "} ")
		if !ok || !strings.HasPrefix(line, "apiserver_request_total{") {
			continue
		}
		what := label(labels, "verb") + " " + label(labels, "resource") + " " + label(labels, "subresource")
		if label(labels, "verb") == "WATCH" || label(labels, "resource") == "" {
			continue // Without a resource: the metrics, and checks of the API server by itself.
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("read the metrics of the API server: %w", err)
		}
		totals[strings.TrimSpace(what)] += n
	}
	if len(totals) == 0 {
		return nil, errors.New("the metrics of the API server have no apiserver_request_total")
	}
	return totals, nil
}

// label returns the value of a label.
func label(labels, name string) string {
	_, rest, _ := strings.Cut(","+labels, ","+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
