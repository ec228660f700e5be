package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/testlog"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func openStore(t *testing.T, database string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openShared(t *testing.T, rows audit.Rows, log *testlog.Buffer) *audit.Shared {
	t.Helper()
	s, err := audit.OpenShared(audit.SharedConfig{Rows: rows, Now: func() time.Time { return start }, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pages returns a function for audit.ReadPages that reads rows without waiting.
func pages(t *testing.T, rows audit.Rows, since time.Time, limit int) func(int64, bool) (admin.AuditPage, error) {
	return func(after int64, _ bool) (admin.AuditPage, error) {
		page := admin.AuditPage{Last: after}
		err := rows.AuditEntries(context.WithoutCancel(t.Context()), after, since, limit, func(number int64, entry string) {
			page.Last, page.Entries = number, append(page.Entries, []byte(entry))
		})
		return page, err
	}
}

// stored returns the objects of all entries since a time.
func stored(t *testing.T, rows audit.Rows, since time.Time) []string {
	t.Helper()
	var found []string
	err := audit.ReadPages(t.Context(), false, pages(t, rows, since, 7), func(e audit.Entry, _ []byte) error {
		found = append(found, e.Object)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A reader that follows the log of several servers gets each entry once.
func TestShared_FollowersGetEachEntryOfAllServers(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	const servers, writers, each = 3, 4, 50
	const total = servers * writers * each
	reader := openStore(t, database)
	followed := make(chan []string, 1)
	complete := errors.New("complete")
	go func() {
		var found []string
		err := audit.ReadPages(t.Context(), true, pages(t, reader, time.Time{}, 10), func(e audit.Entry, _ []byte) error {
			if found = append(found, e.Object); len(found) == total {
				return complete
			}
			return nil
		})
		if !errors.Is(err, complete) {
			t.Errorf("ReadPages() = %v", err)
		}
		followed <- found
	}()
	var group errgroup.Group
	for server := range servers {
		log := openShared(t, openStore(t, database), &testlog.Buffer{})
		for writer := range writers {
			group.Go(func() error {
				for n := range each {
					e := entry(((server*writers)+writer)*each + n)
					if err := log.Append(e, n%3 > 0); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	got := await.Receive(t, "all entries", followed)
	want := numbers(0, total)
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("the reader got %d entries, want each of %d once", len(got), total)
	}
}

func TestShared_EntryIsStoredWhenAppendReturns(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	log, reader := openShared(t, openStore(t, database), &testlog.Buffer{}), openStore(t, database)
	for n := range 10 {
		if err := log.Append(entry(n), true); err != nil {
			t.Fatal(err)
		}
		if got := stored(t, reader, time.Time{}); !slices.Equal(got, numbers(0, n+1)) {
			t.Fatalf("the log has the entries %v after entry %d", got, n)
		}
	}
	if got := stored(t, reader, start.Add(7*time.Second)); !slices.Equal(got, numbers(7, 10)) {
		t.Errorf("since a time: %v, want the last three", got)
	}
	// Entries that nothing waits for are stored by Close.
	for n := 10; n < 200; n++ {
		if err := log.Append(entry(n), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, reader, time.Time{}); !slices.Equal(got, numbers(0, 200)) {
		t.Errorf("after Close, the log has %d entries, want 200", len(got))
	}
	if err := log.Append(entry(0), true); err == nil {
		t.Error("Append() after Close() = nil, want an error")
	}
}

func TestAppendAudit_KeepsTableWithinBounds(t *testing.T) {
	t.Parallel()
	s := openStore(t, pgtest.Database(t))
	add := func(n int, maxBytes int64, oldest time.Time) {
		t.Helper()
		line := `{"object_padding":"` + strings.Repeat("x", 60) + `","object":"` + strconv.Itoa(n) + `"}`
		if err := s.AppendAudit(t.Context(), []time.Time{entry(n).At}, []string{line}, maxBytes, oldest); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 100 {
		add(n, 1000, time.Time{})
	}
	if got := stored(t, s, time.Time{}); len(got) < 8 || len(got) > 10 || got[len(got)-1] != "99" {
		t.Errorf("the table has the entries %v, want the last ones of 1000 bytes", got)
	}
	add(100, 1<<20, start.Add(98*time.Second))
	if got := stored(t, s, time.Time{}); !slices.Equal(got, []string{"98", "99", "100"}) {
		t.Errorf("the table has the entries %v, want those since 98", got)
	}
	add(101, 0, start.Add(time.Hour))
	if got := stored(t, s, time.Time{}); !slices.Equal(got, []string{"101"}) {
		t.Errorf("the table has the entries %v, want the last one", got)
	}
}

// brokenRows fail or wait.
type brokenRows struct {
	audit.Rows
	wait chan struct{}
	err  error
}

func (r brokenRows) AppendAudit(context.Context, []time.Time, []string, int64, time.Time) error {
	<-r.wait
	return r.err
}

// As with a file, an entry that cannot be stored is an error, which the server logs.
func TestShared_ReportsEntriesThatAreNotStored(t *testing.T) {
	t.Parallel()
	rows, logged := brokenRows{wait: make(chan struct{}), err: errors.New("the database is gone")}, &testlog.Buffer{}
	log := openShared(t, rows, logged)
	var full error
	appended := 0
	for ; full == nil && appended < 10_000; appended++ {
		full = log.Append(entry(appended), false)
	}
	if full == nil || appended < 1000 || appended > 2000 {
		t.Errorf("%d entries were queued, then %v, want about a thousand and an error", appended, full)
	}
	close(rows.wait)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if text := logged.String(); !strings.Contains(text, "may be lost") || !strings.Contains(text, "the database is gone") {
		t.Errorf("logged %q, want the lost entries", text)
	}
	if err := openShared(t, rows, logged).Append(entry(1), true); !errors.Is(err, rows.err) {
		t.Errorf("Append() = %v, want the error of the database", err)
	}
}

func TestOpenShared_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for name, config := range map[string]audit.SharedConfig{
		"Rows": {Now: time.Now, Log: log},
		"Now":  {Rows: brokenRows{}, Log: log},
		"Log":  {Rows: brokenRows{}, Now: time.Now},
	} {
		if s, err := audit.OpenShared(config); s != nil || err == nil {
			t.Errorf("without %s: got %v, %v, want an error", name, s, err)
		}
	}
}
