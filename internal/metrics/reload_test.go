package metrics_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/store"
)

func TestReload_RemovesSeriesOfMissingObjects(t *testing.T) {
	t.Parallel()
	m := metrics.New("")
	load := func(objects ...store.Object) string {
		loader := m.Reload(store.Position{})
		for _, o := range objects {
			loader.Add(o)
		}
		loader.Swap()
		return scrape(t, m)
	}
	other := functions.Trigger{ID: "other"}
	load(function("f", "r1"), function("g", "r2"), trigger, other)
	m.Calls().End(nil, outcome(200))
	scraped := load(function("f", "r1"), trigger)
	for text, want := range map[string]bool{
		`function_id="f"`: true, `function_id="g"`: false, `trigger_id="t"`: true, `trigger_id="other"`: false,
		`jeton_calls_total{class="2xx",function_id="f"} 1`: true,
	} {
		if strings.Contains(scraped, text) != want {
			t.Errorf("the metrics contain %s: %v, want %v", text, !want, want)
		}
	}
}
