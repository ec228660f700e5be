package metrics_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/store"
)

// member is a node of a cluster with another member, which is cordoned.
type member struct{}

func (member) Held() bool               { return true }
func (member) LeaseLeft() time.Duration { return 4 * time.Second }
func (member) Offset() time.Duration    { return 250 * time.Millisecond }
func (member) Forks() int64             { return 2 }
func (member) Position() store.Position { return store.Position{Number: 10} }

func (member) Members() ([]store.Member, int64) {
	return []store.Member{{Incarnation: "1", Node: "a"}, {Incarnation: "2", Node: "b", Cordoned: true}}, 1
}

func (member) Leases() map[string]store.Lease {
	return map[string]store.Lease{"2": {Incarnation: "2", Applied: store.Position{Number: 7}}}
}

func TestNewNode_LabelsAllSeries(t *testing.T) {
	t.Parallel()
	m := metrics.NewNode("1.2.3", "node1")
	m.Cluster(member{})
	m.Behind(func() int64 { return 3 })
	for line := range strings.Lines(scrape(t, m)) {
		if !strings.HasPrefix(line, "#") && strings.HasPrefix(line, "jeton_") && !strings.Contains(line, `node="node1"`) {
			t.Errorf("no label node: %s", line)
		}
	}
}

func TestAlerts_UseMetricsThatExist(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "grafana", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	scraped := scrape(t, newBusyMetrics(t))
	names := regexp.MustCompile(`\bjeton_[a-z_]+`).FindAllString(string(content), -1)
	if len(names) < 8 {
		t.Errorf("got %d metrics in the alerts", len(names))
	}
	for _, name := range names {
		if !strings.Contains(scraped, "\n"+name+"{") && !strings.Contains(scraped, "\n"+name+" ") {
			t.Errorf("the alerts use %s, which does not exist", name)
		}
	}
}
