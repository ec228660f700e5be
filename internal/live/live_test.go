package live_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/live"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/testclock"
)

var (
	start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
	scope = functions.Scope{Region: "fr-par", ProjectID: "p"}
)

func newView(t *testing.T) (*live.View, *testclock.Clock) {
	t.Helper()
	clock := testclock.New(start)
	v, err := live.New(live.Config{Now: clock.Now, Streams: 3, KeyStreams: 2})
	if err != nil {
		t.Fatal(err)
	}
	return v, clock
}

func function(id, name string) functions.Function {
	return functions.Function{
		ID: id, Name: name, NamespaceID: "n", ProjectID: "p", Region: "fr-par", Runtime: "node22", Status: functions.Ready,
		DomainName: name + ".example.com", UpdatedAt: start,
	}
}

func put(v *live.View, objects ...store.Object) {
	for _, o := range objects {
		v.Apply(store.Change{Object: o, CommittedAt: start})
	}
}

func names(v *live.View, q live.Query, first, count int) (string, int) {
	found, total := v.Functions(scope, q, first, count)
	all := make([]string, len(found))
	for i, f := range found {
		all[i] = f.Name
	}
	return strings.Join(all, " "), total
}

func TestFunctions_SearchesSortsAndPages(t *testing.T) {
	t.Parallel()
	v, _ := newView(t)
	failed := function("id-of-failed", "failed")
	failed.Status, failed.ErrorMessage, failed.Runtime, failed.NamespaceID = functions.Failed, strings.Repeat("é", 1000), "go126", "m"
	failed.UpdatedAt = start.Add(time.Hour)
	foreign, elsewhere := function("foreign", "foreign"), function("elsewhere", "elsewhere")
	foreign.ProjectID, elsewhere.Region = "other", "nl-ams"
	put(v, functions.Namespace{ID: "n", Name: "Shop", ProjectID: "p", Region: "fr-par"}, functions.Namespace{ID: "m", Name: "main", ProjectID: "p", Region: "fr-par"},
		function("1", "cart"), function("2", "basket"), failed, foreign, elsewhere)
	for name, test := range map[string]struct {
		query live.Query
		want  string
	}{
		"all by name":        {live.Query{}, "basket cart failed"},
		"backwards":          {live.Query{Descending: true}, "failed cart basket"},
		"by state":           {live.Query{Order: "status"}, "failed basket cart"},
		"by namespace":       {live.Query{Order: "namespace", Descending: true}, "failed basket cart"},
		"by runtime":         {live.Query{Order: "runtime"}, "failed basket cart"},
		"latest change":      {live.Query{Order: "updated", Descending: true}, "failed basket cart"},
		"part of name":       {live.Query{Search: "AS"}, "basket"},
		"name of namespace":  {live.Query{Search: "shop"}, "basket cart"},
		"part of runtime":    {live.Query{Search: "go1"}, "failed"},
		"hostname":           {live.Query{Search: "cart.example"}, "cart"},
		"ID":                 {live.Query{Search: "id-of-failed"}, "failed"},
		"state":              {live.Query{Status: functions.Failed}, "failed"},
		"namespace":          {live.Query{NamespaceID: "n"}, "basket cart"},
		"nothing":            {live.Query{Search: "foreign"}, ""},
		"of another project": {live.Query{Search: "elsewhere"}, ""},
	} {
		if got, _ := names(v, test.query, 0, 100); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got, total := names(v, live.Query{}, 1, 1); got != "cart" || total != 3 {
		t.Errorf("the second page is %q of %d, want cart of 3", got, total)
	}
	if got, total := names(v, live.Query{}, 9, 5); got != "" || total != 3 {
		t.Errorf("a page past the end is %q of %d", got, total)
	}
	if f, ok := v.Function("id-of-failed"); !ok || len(f.Message) > 404 || !strings.HasPrefix(f.Message, "éé") {
		t.Errorf("the message has %d bytes", len(f.Message))
	}
	if c := v.Counts(scope); c.Namespaces != 2 || c.Functions != 3 || c.ByStatus[functions.Failed] != 1 {
		t.Errorf("the counts are %+v", c)
	}
	covers := v.Covers(scope, "n")
	if !covers("1") || covers("id-of-failed") || covers("foreign") || covers("none") {
		t.Error("Covers() does not follow the scope and the namespace")
	}
	v.Apply(store.Change{Object: function("1", "cart"), Deleted: true})
	if got, _ := names(v, live.Query{}, 0, 9); got != "basket failed" {
		t.Errorf("after a deletion: %q", got)
	}
}

func TestReload_ReplacesEverything(t *testing.T) {
	t.Parallel()
	v, _ := newView(t)
	put(v, function("1", "old"))
	s := v.Subscribe(func(live.Event) bool { return true })
	defer s.Close()
	loader := v.Reload(store.Position{})
	loader.Add(functions.Namespace{ID: "n", Name: "shop", Region: "fr-par", ProjectID: "p"})
	loader.Add(function("2", "new"))
	if got, _ := names(v, live.Query{}, 0, 9); got != "old" {
		t.Errorf("before the swap: %q", got)
	}
	loader.Swap()
	if got, _ := names(v, live.Query{}, 0, 9); got != "new" || v.NamespaceName("n") != "shop" {
		t.Errorf("after the swap: %q", got)
	}
	if batch := s.Take(); !batch.Reset {
		t.Errorf("a subscriber has got %+v, want a reset", batch)
	}
}

func TestSubscription_MergesEventsAndIsBounded(t *testing.T) {
	t.Parallel()
	v, _ := newView(t)
	s := v.Subscribe(func(e live.Event) bool { return e.ProjectID == "p" })
	defer s.Close()
	pending := function("1", "one")
	pending.Status, pending.BuildMessage = functions.Pending, "step 2 of 3"
	foreign := function("2", "two")
	foreign.ProjectID = "other"
	put(v, function("1", "one"), foreign, pending)
	v.Apply(store.Change{Object: functions.Token{ID: "t", FunctionID: "1", ProjectID: "p"}, Deleted: true})
	v.Sampled()
	<-s.Ready()
	batch := s.Take()
	if len(batch.Events) != 2 || batch.Events[0].Status != functions.Pending || batch.Events[0].Message != "step 2 of 3" ||
		batch.Events[1].Kind != "token" || !batch.Events[1].Deleted || !batch.Sampled || batch.Reset {
		t.Errorf("the events are %+v", batch)
	}
	if batch := s.Take(); len(batch.Events) != 0 || batch.Sampled {
		t.Errorf("events were taken twice: %+v", batch)
	}
	for i := range 100_000 {
		put(v, function(fmt.Sprint(i), "many"))
	}
	if batch := s.Take(); !batch.Reset || len(batch.Events) != 0 {
		t.Errorf("after 100000 changes: reset %v, %d events, want a reset only", batch.Reset, len(batch.Events))
	}
	put(v, iam.APIKey{AccessKey: "k", ProjectID: "other"})
	select {
	case <-s.Ready():
	default:
		t.Error("the change of an API key does not wake subscribers, whose permissions it can change")
	}
	s.Close()
	put(v, function("1", "one"))
	if batch := s.Take(); len(batch.Events) != 0 {
		t.Errorf("a closed subscription has got %+v", batch)
	}
}

func TestOpenStream_LimitsKeysAndAll(t *testing.T) {
	t.Parallel()
	v, _ := newView(t)
	open := func(key string) func() {
		t.Helper()
		release, err := v.OpenStream(key)
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	release := open("a")
	open("a")
	if _, err := v.OpenStream("a"); !errors.Is(err, live.ErrTooManyStreams) {
		t.Errorf("a third stream of a key: %v", err)
	}
	open("b")
	if _, err := v.OpenStream("c"); !errors.Is(err, live.ErrTooManyStreams) {
		t.Errorf("a fourth stream: %v", err)
	}
	release()
	release()
	if v.Streams() != 2 {
		t.Errorf("%d streams are open, want 2", v.Streams())
	}
	open("a")
}

func TestDeployments_RecordsLatest(t *testing.T) {
	t.Parallel()
	v, _ := newView(t)
	at := start
	change := func(f functions.Function) {
		at = at.Add(time.Second)
		v.Apply(store.Change{Object: f, CommittedAt: at})
	}
	f := function("1", "one")
	f.Status = functions.Created
	change(f)
	f.Archive = "code"
	f.StartBuild(at)
	change(f)
	_ = f.SetBuildMessage(1, "step 1", at)
	change(f)
	_ = f.Fail(1, "does not compile", at)
	change(f)
	f.StartBuild(at)
	change(f)
	f.StartBuild(at)
	change(f)
	_ = f.MarkReady(3, functions.Revision{ID: "r"}, at)
	change(f)
	f.Description = "an unrelated change"
	change(f)
	all := v.Deployments("1")
	if len(all) != 3 || all[0].Status != functions.Ready || all[0].Duration != time.Second || all[1].Status != functions.Created ||
		all[2].Status != functions.Failed || all[2].Message != "does not compile" || all[2].Duration != 2*time.Second || all[2].Code != "code" {
		t.Errorf("the deployments are %+v", all)
	}
	for range 30 {
		f.StartBuild(at)
		change(f)
	}
	if all := v.Deployments("1"); len(all) != 10 || all[0].Generation != 33 {
		t.Errorf("%d deployments are kept, the latest is %d, want 10 and 33", len(all), all[0].Generation)
	}
	v.Apply(store.Change{Object: f, Deleted: true})
	if all := v.Deployments("1"); len(all) != 0 {
		t.Errorf("a deleted function has the deployments %+v", all)
	}
}

func TestRevocation_CountsRefusedCalls(t *testing.T) {
	t.Parallel()
	v, clock := newView(t)
	clock.Advance(40 * time.Microsecond)
	v.Apply(store.Change{Object: functions.Token{ID: "t", ProjectID: "p"}, Deleted: true, CommittedAt: start})
	v.Refused("t", start.Add(time.Second))
	v.Refused("t", start.Add(2*time.Second))
	v.Refused("unknown", start)
	r, ok := v.Revocation("t")
	if !ok || r.Refused != 2 || r.Took != 40*time.Microsecond || !r.LastRefused.Equal(start.Add(2*time.Second)) || r.ProjectID != "p" {
		t.Errorf("the revocation is %+v", r)
	}
	for i := range 10_000 {
		v.Apply(store.Change{Object: functions.Token{ID: fmt.Sprint(i)}, Deleted: true})
	}
	if _, ok := v.Revocation("t"); ok {
		t.Error("more than 10000 revocations are kept")
	}
	if _, ok := v.Revocation("9999"); !ok {
		t.Error("the latest revocation is unknown")
	}
}

func TestNew_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	if v, err := live.New(live.Config{}); v != nil || err == nil {
		t.Errorf("New() = %v, %v, want an error", v, err)
	}
}
