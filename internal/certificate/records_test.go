package certificate_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func openDatabase(t *testing.T, address string) *postgres.Store {
	t.Helper()
	database, err := postgres.Open(t.Context(), address, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return database
}

// storages returns the storages of several servers of a database, and the records of the
// first.
func storages(t *testing.T, count int) ([]certmagic.Storage, certificate.Records) {
	t.Helper()
	address := pgtest.Database(t)
	records := make([]certificate.Records, count)
	all := make([]certmagic.Storage, count)
	for i := range all {
		records[i] = openDatabase(t, address).Certificates()
		all[i] = certificate.NewRecordStorage(records[i], newSealer(t, 1))
	}
	return all, records[0]
}

func TestRecordStorage_SharesSealedValues(t *testing.T) {
	t.Parallel()
	all, records := storages(t, 2)
	one, two := all[0], all[1]
	ctx, before := t.Context(), time.Now().Add(-time.Minute)
	for key, value := range map[string]string{"a/b/c": "secret", "a/b2": "second", "a/b/d/e": "third", "ab": "fourth"} {
		if err := one.Store(ctx, key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := two.Load(ctx, "a/b/c"); err != nil || string(got) != "secret" {
		t.Errorf("Load() = %q, %v", got, err)
	}
	info, err := two.Stat(ctx, "a/b/c")
	if err != nil || info.Size != 6 || !info.IsTerminal || info.Key != "a/b/c" || info.Modified.Before(before) {
		t.Errorf("Stat() = %+v, %v", info, err)
	}
	if info, err := two.Stat(ctx, "a/b"); err != nil || info.IsTerminal {
		t.Errorf("Stat() of a folder = %+v, %v", info, err)
	}
	for key, want := range map[string]bool{"a/b/c": true, "a/b": true, "a": true, "a/b/": false, "a/x": false, "b": false} {
		if got := two.Exists(ctx, key); got != want {
			t.Errorf("Exists(%s) = %v, want %v", key, got, want)
		}
	}
	sealed, _, err := records.Get(ctx, "a/b/c")
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Errorf("the record is %q, %v, want it to be sealed", sealed, err)
	}
	// A record that was copied to another key cannot be opened.
	if err := records.Put(ctx, "a/b2", sealed); err != nil {
		t.Fatal(err)
	}
	if got, err := two.Load(ctx, "a/b2"); err == nil {
		t.Errorf("Load() of a copied record = %q, want an error", got)
	}
}

func TestRecordStorage_ListsAndDeletesFolders(t *testing.T) {
	t.Parallel()
	all, _ := storages(t, 1)
	s, ctx := all[0], t.Context()
	for _, key := range []string{"a/b/c", "a/b/d/e", "a/b2", "ab"} {
		if err := s.Store(ctx, key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		folder    string
		recursive bool
		want      []string
	}{
		{"a", false, []string{"a/b", "a/b2"}},
		{"a", true, []string{"a/b", "a/b/c", "a/b/d", "a/b/d/e", "a/b2"}},
		{"a/b", false, []string{"a/b/c", "a/b/d"}},
		{"", false, []string{"a", "ab"}},
	} {
		got, err := s.List(ctx, test.folder, test.recursive)
		if slices.Sort(got); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("List(%q, %v) = %v, %v, want %v", test.folder, test.recursive, got, err, test.want)
		}
	}
	if err := errors.Join(s.Delete(ctx, "a/b"), s.Delete(ctx, "missing")); err != nil {
		t.Fatal(err)
	}
	got, err := s.List(ctx, "", true)
	if slices.Sort(got); err != nil || !slices.Equal(got, []string{"a", "a/b2", "ab"}) {
		t.Errorf("after Delete: %v, %v", got, err)
	}
	_, listErr := s.List(ctx, "missing", true)
	_, loadErr := s.Load(ctx, "missing")
	_, statErr := s.Stat(ctx, "missing")
	for name, err := range map[string]error{"List": listErr, "Load": loadErr, "Stat": statErr} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s() of a missing key = %v, want fs.ErrNotExist", name, err)
		}
	}
}

func TestRecordStorage_LockExcludesOtherServers(t *testing.T) {
	t.Parallel()
	all, _ := storages(t, 3)
	var inside, entries atomic.Int32
	var group errgroup.Group
	for n := range 9 {
		s := all[n%len(all)]
		group.Go(func() error {
			if err := s.Lock(t.Context(), "name"); err != nil {
				return err
			}
			if inside.Add(1) != 1 {
				t.Error("two holders of a lock")
			}
			entries.Add(1)
			inside.Add(-1)
			return s.Unlock(t.Context(), "name")
		})
	}
	if err := group.Wait(); err != nil || entries.Load() != 9 {
		t.Errorf("%d entries, %v", entries.Load(), err)
	}
	if err := all[0].Unlock(t.Context(), "name"); err == nil {
		t.Error("Unlock() without Lock() = nil, want an error")
	}
}

// The lock of a server that crashed is free after its life, and not before.
func TestRecordStorage_LockOfCrashedServerExpires(t *testing.T) {
	t.Parallel()
	all, records := storages(t, 1)
	ctx := t.Context()
	if locked, err := records.Lock(ctx, "alive", "crashed", time.Hour); err != nil || !locked {
		t.Fatal(locked, err)
	}
	if locked, err := records.Lock(ctx, "expired", "crashed", 0); err != nil || !locked {
		t.Fatal(locked, err)
	}
	if err := all[0].Lock(ctx, "expired"); err != nil {
		t.Error(err)
	}
	// The holder before does not release the lock of its successor.
	if err := records.Unlock(ctx, "expired", "crashed"); err != nil {
		t.Error(err)
	}
	if locked, err := records.Lock(ctx, "expired", "third", time.Hour); err != nil || locked {
		t.Errorf("a third holder: %v, %v, want the lock to be held", locked, err)
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := all[0].Lock(short, "alive"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock() = %v, want it to wait", err)
	}
	if err := all[0].Unlock(ctx, "expired"); err != nil {
		t.Error(err)
	}
}

// shared returns the configuration of an authority in a database.
func shared(t *testing.T, database *postgres.Store, dir string, c *clock) certificate.SharedConfig {
	return certificate.SharedConfig{
		Setting: func(ctx context.Context, create func() ([]byte, error)) ([]byte, error) {
			return database.Setting(ctx, postgres.AuthoritySetting, create)
		},
		Dir: dir, Domains: domains, Sealer: newSealer(t, 1), Now: c.Now,
	}
}

func TestOpenSharedAuthority_RacedByServers(t *testing.T) {
	t.Parallel()
	address, c := pgtest.Database(t), newClock()
	dirs := make([]string, 6)
	var group errgroup.Group
	for i := range dirs {
		dirs[i] = t.TempDir()
		config := shared(t, openDatabase(t, address), dirs[i], c)
		group.Go(func() error {
			a, err := certificate.OpenSharedAuthority(t.Context(), config)
			if err == nil {
				_, err = handshake(t, certificate.NewHosts(a, known(host)).GetCertificate, a.PEM(), host, c)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var first []byte
	for _, dir := range dirs {
		got, err := os.ReadFile(filepath.Join(dir, certificate.AuthorityFile))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Error("two servers have different authorities")
		}
		if _, err := os.Stat(filepath.Join(dir, "ca.key")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the key of the authority is in %s: %v", dir, err)
		}
	}
}

// Clients that trust the authority of a data folder trust the shared one.
func TestOpenSharedAuthority_AdoptsAuthorityOfDataFolder(t *testing.T) {
	t.Parallel()
	database, c, dir := openDatabase(t, pgtest.Database(t)), newClock(), t.TempDir()
	old := open(t, dir, c)
	a, err := certificate.OpenSharedAuthority(t.Context(), shared(t, database, dir, c))
	if err != nil || !bytes.Equal(a.PEM(), old.PEM()) {
		t.Fatalf("got another authority, %v", err)
	}
	other, err := certificate.OpenSharedAuthority(t.Context(), shared(t, database, t.TempDir(), c))
	if err != nil || !bytes.Equal(other.PEM(), old.PEM()) {
		t.Errorf("the other server has another authority, %v", err)
	}
	for want, change := range map[string]func(*certificate.SharedConfig){
		"not [example.com]":         func(s *certificate.SharedConfig) { s.Domains = []string{"example.com"} },
		"authority of the database": func(s *certificate.SharedConfig) { s.Sealer = newSealer(t, 2) },
	} {
		config := shared(t, database, t.TempDir(), c)
		change(&config)
		if _, err := certificate.OpenSharedAuthority(t.Context(), config); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "remove the row") {
			t.Errorf("got %v, want %q and the solution", err, want)
		}
	}
}
