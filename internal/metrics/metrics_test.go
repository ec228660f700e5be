package metrics_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/store"
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

// newBusyMetrics returns metrics with a value of every series.
func newBusyMetrics(t *testing.T) *metrics.Metrics {
	t.Helper()
	m := metrics.New("1.2.3")
	m.Behind(func() int64 { return 3 })
	m.Homes(func() int { return 7 })
	m.Instances(func() []scale.Counts {
		return []scale.Counts{
			{RevisionID: "r2", Waiting: 4, Starting: 1, Busy: 2},
			{RevisionID: "r1", Busy: 1, Leaving: 1},
			{RevisionID: "other", Busy: 1},
		}
	}, func() map[string]int64 { return map[string]int64{"r2": 50 << 20, "old": 1, "other": 2} })
	c := m.Cluster(member{})
	c.Waited(30*time.Millisecond, []string{"b"}, true)
	c.Waited(20*time.Second, []string{"b", "c"}, false)
	c.RenewalFailed()
	c.Fenced()
	c.Locked(2 * time.Millisecond)
	apply(m, function("f", "r1"))
	apply(m, function("f", "r2"))
	m.Revoked(store.Change{Number: 9, Object: functions.Token{ID: "t"}, Deleted: true, CommittedAt: start}, start.Add(50*time.Microsecond))
	end := m.Calls().End
	end(nil, outcome(200))
	end(nil, refused("expired token"))
	// Calls of other nodes' functions are counted there.
	end(nil, gateway.Outcome{FunctionID: "f", Status: 200, Home: "node2", Retries: 2, Began: start, Ended: start})
	end(nil, gateway.Outcome{FunctionID: "f", Status: 421, Misdirected: true, Began: start, Ended: start})
	m.Starts().Started("r2", 40*time.Millisecond, true)
	m.Starts().Started("r2", 40*time.Millisecond, false)
	m.Starts().StartFailed("r2")
	clock := start
	for _, task := range []reconcile.Task{reconcile.Build, reconcile.Deployment} {
		_, done := m.Tasks(func() time.Time { clock = clock.Add(2 * time.Second); return clock }).Begin(t.Context(), task, functions.Function{})
		done(reconcile.Failed)
	}
	m.Apply(store.Change{Object: trigger})
	for _, d := range []schedule.Delivery{schedule.Taken, schedule.Again, schedule.Again} {
		m.Triggers().Delivered(trigger, d)
	}
	m.Triggers().Consuming(trigger, true)
	return m
}

var trigger = functions.Trigger{ID: "t", FunctionID: "f"}

func function(id, revision string) functions.Function {
	return functions.Function{ID: id, NamespaceID: "n", Name: "name", Revision: &functions.Revision{ID: revision}}
}

func apply(m *metrics.Metrics, f functions.Function) { m.Apply(store.Change{Object: f}) }

func outcome(status int) gateway.Outcome {
	return gateway.Outcome{
		FunctionID: "f", Status: status, Private: true, TokenID: "t",
		Began: start, Decided: start, Acquired: start.Add(20 * time.Millisecond), Ended: start.Add(30 * time.Millisecond),
	}
}

func refused(reason string) gateway.Outcome {
	return gateway.Outcome{FunctionID: "f", Status: 403, Private: true, Reason: reason, Began: start, Decided: start, Ended: start}
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("got status %d: %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

func TestHandler_ReturnsAllMetrics(t *testing.T) {
	t.Parallel()
	scraped := scrape(t, newBusyMetrics(t))
	for _, line := range []string{
		`jeton_info{version="1.2.3"} 1`,
		`jeton_calls_forwarded_total{class="2xx"} 1`,
		`jeton_call_forward_retries_total 2`,
		`jeton_calls_misdirected_total 1`,
		`jeton_function_info{function_id="f",name="name",namespace="",namespace_id="n"} 1`,
		`jeton_calls_total{class="2xx",function_id="f"} 1`,
		`jeton_calls_total{class="4xx",function_id="f"} 1`,
		`jeton_calls_total{class="5xx",function_id="f"} 0`,
		`jeton_call_duration_seconds_sum{function_id="f"} 0.03`,
		`jeton_call_duration_seconds_count{function_id="f"} 2`,
		`jeton_call_wait_seconds_sum 0.02`,
		`jeton_call_wait_seconds_count 1`,
		`jeton_admissions_total{reason="token",result="admitted"} 1`,
		`jeton_admissions_total{reason="expired_token",result="refused"} 1`,
		`jeton_queue_length{function_id="f"} 4`,
		`jeton_memory_bytes{function_id="f"} 5.24288e+07`,
		`jeton_memory_bytes{function_id=""} 3`,
		`jeton_instances{function_id="f",state="busy"} 2`,
		`jeton_instances{function_id="f",state="starting"} 1`,
		`jeton_instances{function_id="f",state="leaving"} 0`,
		`jeton_instances{function_id="",state="busy"} 2`,
		`jeton_instances{function_id="",state="leaving"} 1`,
		`jeton_instance_starts_total{result="ready"} 2`,
		`jeton_instance_starts_total{result="failed"} 1`,
		`jeton_instance_start_seconds_sum 0.08`,
		`jeton_cold_starts_total 1`,
		`jeton_revocation_seconds_sum 5e-05`,
		`jeton_build_duration_seconds_sum{result="failed"} 2`,
		`jeton_deployment_duration_seconds_count{result="failed"} 1`,
		`jeton_changes_behind 3`,
		`jeton_home_functions 7`,
		`jeton_cluster_lease_held 1`,
		`jeton_cluster_lease_left_seconds 4`,
		`jeton_cluster_clock_offset_seconds -0.25`,
		`jeton_cluster_forks_total 2`,
		`jeton_cluster_members{state="serving"} 1`,
		`jeton_cluster_members{state="cordoned"} 1`,
		`jeton_cluster_member_lag{member="b"} 3`,
		`jeton_cluster_barrier_wait_seconds_count 2`,
		`jeton_cluster_barrier_blocked_seconds_total{member="b"} 20.03`,
		`jeton_cluster_barrier_blocked_seconds_total{member="c"} 20`,
		`jeton_cluster_unconfirmed_total 1`,
		`jeton_cluster_renewals_failed_total 1`,
		`jeton_cluster_fences_total 1`,
		`jeton_store_lock_wait_seconds_sum 0.002`,
		`jeton_trigger_deliveries_total{result="taken",trigger_id="t"} 1`,
		`jeton_trigger_deliveries_total{result="again",trigger_id="t"} 2`,
		`jeton_trigger_deliveries_total{result="given_up",trigger_id="t"} 0`,
		`jeton_trigger_consuming{trigger_id="t"} 1`,
	} {
		if !strings.Contains(scraped, "\n"+line+"\n") {
			t.Errorf("missing metric: %s", line)
		}
	}
	if t.Failed() {
		t.Log(scraped)
	}
}

func TestCalls_CountsUnusualStatuses(t *testing.T) {
	t.Parallel()
	m := metrics.New("")
	apply(m, function("f", "r"))
	for status, class := range map[int]string{0: "none", 101: "1xx", 301: "3xx", 599: "5xx", 999: "none", -1: "none"} {
		before := count(scrape(t, m), class)
		m.Calls().End(nil, outcome(status))
		if after := count(scrape(t, m), class); after == before {
			t.Errorf("status %d: got %s, want one more of class %s", status, after, class)
		}
	}
	m.Calls().End(nil, gateway.Outcome{Status: 404, Began: start, Ended: start})
	if scraped := scrape(t, m); !strings.Contains(scraped, `jeton_calls_total{class="4xx",function_id=""} 1`) {
		t.Errorf("unknown hostname: got\n%s", scraped)
	}
	keyed := outcome(200)
	keyed.TokenID, keyed.AccessKey = "", "SCW123"
	m.Calls().End(nil, keyed)
	if scraped := scrape(t, m); !strings.Contains(scraped, `jeton_admissions_total{reason="api_key",result="admitted"} 1`) || strings.Contains(scraped, "SCW123") {
		t.Errorf("call with an API key: got\n%s", scraped)
	}
}

// count returns the line of a class.
func count(scraped, class string) string {
	return regexp.MustCompile(`jeton_calls_total\{class="` + class + `",function_id="f"\} \d+`).FindString(scraped)
}

// A call that ends after the deletion of its function does not create the series again.
func TestApply_RemovesSeriesOfDeletedFunction(t *testing.T) {
	t.Parallel()
	m := newBusyMetrics(t)
	apply(m, function("g", "r3"))
	m.Apply(store.Change{Object: trigger, Deleted: true}) // A function is deleted after its triggers.
	m.Apply(store.Change{Object: function("f", "r2"), Deleted: true})
	m.Calls().End(nil, outcome(200))
	m.Apply(store.Change{Object: functions.Token{ID: "f"}, Deleted: true})
	scraped := scrape(t, m)
	if strings.Contains(scraped, `function_id="f"`) {
		t.Errorf("got series of the deleted object:\n%s", scraped)
	}
	if !strings.Contains(scraped, `function_id="g"`) {
		t.Error("the series of another function were removed")
	}
}

// Series have the ID of a trigger only; its name may change.
func TestTriggers_InfoFollowsName(t *testing.T) {
	t.Parallel()
	m := newBusyMetrics(t)
	for _, name := range []string{"orders", "invoices"} {
		renamed := trigger
		renamed.Name = name
		m.Apply(store.Change{Object: renamed})
	}
	got := regexp.MustCompile(`jeton_trigger_info\{.*`).FindAllString(scrape(t, m), -1)
	if want := `jeton_trigger_info{function_id="f",name="invoices",trigger_id="t"} 1`; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestTriggers_CountsConnections(t *testing.T) {
	t.Parallel()
	m := newBusyMetrics(t)
	m.Triggers().Consuming(trigger, true)
	m.Triggers().Consuming(trigger, false)
	if scraped := scrape(t, m); !strings.Contains(scraped, `jeton_trigger_consuming{trigger_id="t"} 1`) {
		t.Errorf("two connections, one ended: got\n%s", scraped)
	}
	m.Triggers().Consuming(trigger, false)
	if scraped := scrape(t, m); !strings.Contains(scraped, `jeton_trigger_consuming{trigger_id="t"} 0`) {
		t.Errorf("no connection: got\n%s", scraped)
	}
	m.Apply(store.Change{Object: trigger, Deleted: true})
	m.Triggers().Delivered(trigger, schedule.Taken)
	m.Triggers().Consuming(trigger, false)
	if scraped := scrape(t, m); strings.Contains(scraped, `trigger_id="t"`) {
		t.Errorf("got series of the deleted object:\n%s", scraped)
	}
}

func TestRevoked_RecordsDeletionsOfTokensOnly(t *testing.T) {
	t.Parallel()
	m := metrics.New("")
	for _, change := range []store.Change{
		{Number: 1, Object: functions.Token{ID: "t"}, CommittedAt: start},
		{Number: 2, Object: function("f", "r"), Deleted: true, CommittedAt: start},
		{Object: functions.Token{ID: "t"}, Deleted: true},
	} {
		m.Revoked(change, start.Add(time.Second))
	}
	// A clock that was set back must not result in a negative time.
	m.Revoked(store.Change{Number: 3, Object: functions.Token{ID: "t"}, Deleted: true, CommittedAt: start}, start.Add(-time.Hour))
	if scraped := scrape(t, m); !strings.Contains(scraped, "jeton_revocation_seconds_count 1\n") || !strings.Contains(scraped, "jeton_revocation_seconds_sum 0\n") {
		t.Errorf("got\n%s, want one revocation of 0 s", scraped)
	}
}

func TestDashboard_UsesAllMetrics(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "grafana", "jeton.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard any
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	scraped := scrape(t, newBusyMetrics(t))
	existing := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^([a-z_]+)[{ ]`).FindAllStringSubmatch(scraped, -1) {
		existing[match[1]] = true
	}
	used := map[string]bool{}
	for _, expression := range expressions(dashboard) {
		// Each node of a cluster has all information series: Prometheus refuses a join with them.
		if _, joined, ok := strings.Cut(expression, "group_left"); ok && !strings.Contains(joined, ") max by (") {
			t.Errorf("the join of %s fails with several nodes", expression)
		}
		for _, name := range regexp.MustCompile(`\b(?:jeton|go|process)_[a-z_]+`).FindAllString(expression, -1) {
			used[name] = true
			if !existing[name] {
				t.Errorf("the dashboard uses %s, which does not exist", name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(existing)) {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count"), "_bucket")
		shown := used[name] || used[base+"_bucket"] || used[base+"_count"]
		if strings.HasPrefix(name, "jeton_") && !shown {
			t.Errorf("the dashboard does not use %s", name)
		}
	}
}

// expressions returns all queries of a dashboard.
func expressions(part any) []string {
	var found []string
	switch p := part.(type) {
	case map[string]any:
		for key, value := range p {
			if text, ok := value.(string); ok && (key == "expr" || key == "query" || key == "definition") {
				found = append(found, text)
			}
			found = append(found, expressions(value)...)
		}
	case []any:
		for _, value := range p {
			found = append(found, expressions(value)...)
		}
	}
	return found
}

func TestTasks_KeepContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	got, done := metrics.New("").Tasks(time.Now).Begin(ctx, reconcile.Build, functions.Function{})
	done(reconcile.Succeeded)
	if got.Value(key{}) != "value" {
		t.Error("got another context, want that of the task")
	}
}
