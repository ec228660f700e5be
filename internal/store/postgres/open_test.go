package postgres_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	server "github.com/jeton-dev/jeton/test/postgres"
)

const password = "s3cret/pa%ss"

func TestOpen_RefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	server.Execute(t, address, "DROP ROLE IF EXISTS weak_open", "CREATE ROLE weak_open LOGIN")
	newer := server.Database(t)
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	server.Execute(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
	readOnly, damaged := server.Database(t), server.Database(t)
	if err := open(t, damaged).Close(); err != nil {
		t.Fatal(err)
	}
	server.Execute(t, damaged, "DELETE FROM head")
	for name, test := range map[string]struct{ address, want string }{
		"no URL":                {"host=/tmp password=" + password, "want postgres://"},
		"malformed URL":         {"postgres://jeton:" + password + "@localhost/x", "want postgres://"},
		"another scheme":        {"mysql://jeton@localhost/x", "want postgres://"},
		"a wrong parameter":     {server.With(address, "jeton", password) + "&connect_timeout=soon", "connect_timeout"},
		"no server":             {server.With("postgres://x@127.0.0.1:1/x", "jeton", password), "check host, port and network"},
		"no such host":          {server.With("postgres://x@no-such-host.invalid/x", "jeton", password), "check host, port and network"},
		"no such user":          {server.With(address, "nobody", password), "check user, password"},
		"no such database":      {strings.Replace(server.With(address, "jeton", password), "/test_", "/no_test_", 1), "create it"},
		"a user without rights": {server.With(address, "weak_open", password), "may not create tables"},
		"a read-only server":    {server.With(readOnly, "jeton", password) + "&default_transaction_read_only=on", "read-only"},
		"a newer schema":        {server.With(newer, "jeton", password), "newer version of jeton"},
		"no head row":           {server.With(damaged, "jeton", password), "the row of the table head is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := postgres.Open(t.Context(), test.address, time.Now)
			if err == nil {
				t.Fatal(errors.Join(errors.New("Open returns no error"), s.Close()))
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open returns %v, want an error with %q", err, test.want)
			}
			for _, secret := range []string{password, "s3cret"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error contains the password: %v", err)
				}
			}
			if name == "a newer schema" && !errors.Is(err, postgres.ErrNewer) {
				t.Errorf("Open returns %v, want ErrNewer", err)
			}
		})
	}
}

func TestOpen_RacedByManyProcesses(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	failed := make(chan error)
	for range 4 {
		go func() {
			s, err := postgres.Open(t.Context(), address, time.Now)
			if err == nil {
				err = s.Close()
			}
			failed <- err
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestCanary_IsStoredOnce(t *testing.T) {
	t.Parallel()
	s := open(t, server.Database(t))
	if has, err := s.HasSetting(t.Context(), postgres.CanarySetting); has || err != nil {
		t.Errorf("HasSetting() = %v, %v", has, err)
	}
	for _, value := range []string{"first", "second"} {
		got, err := s.Setting(t.Context(), postgres.CanarySetting, func() ([]byte, error) { return []byte(value), nil })
		if err != nil || string(got) != "first" {
			t.Errorf("Setting() = %q, %v, want that of the first call", got, err)
		}
	}
	if has, err := s.HasSetting(t.Context(), postgres.CanarySetting); !has || err != nil {
		t.Errorf("HasSetting() = %v, %v", has, err)
	}
}

func TestInspect_ReportsServer(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	got, err := postgres.Inspect(t.Context(), server.With(address, "jeton", password)+"&synchronous_commit=off")
	if err != nil || got.VersionNumber < 140000 || got.ReadOnly || !got.MayCreate || got.CommitLatency <= 0 {
		t.Errorf("Inspect() = %+v, %v", got, err)
	}
	warnings := strings.Join(got.Warnings(), "\n")
	if !strings.Contains(warnings, "synchronous_commit is off") || !strings.Contains(warnings, "fsync is off") {
		t.Errorf("Warnings() = %q", warnings)
	}
	if _, err := postgres.Inspect(t.Context(), address+"&default_transaction_read_only=on"); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("Inspect() of a read-only server returns %v", err)
	}
}

func TestStore_HandlesTextsThatPostgreSQLCannotStore(t *testing.T) {
	t.Parallel()
	s := open(t, server.Database(t))
	put(t, s, project)
	bad := namespace
	bad.Name = "a\x00b"
	if err := tryPut(t, s, bad); err == nil {
		t.Error("a name with a zero byte is stored")
	}
	for _, text := range []string{"a\x00", "\xff"} {
		_, err := listNamespaces(t, s, functions.Filter{Name: text})
		if err != nil {
			t.Errorf("list by the name %q: %v", text, err)
		}
	}
	bad = namespace
	bad.Description = "a\x00b\xff"
	put(t, s, bad)
	found, err := listNamespaces(t, s, functions.Filter{})
	if err != nil || len(found) != 1 || found[0].Description != "a\x00b\ufffd" {
		t.Errorf("got %+v, %v", found, err)
	}
}

// Several servers change a setting at once; none overwrites what another has decided.
func TestChangeSetting_DecidesUnderLock(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	const servers, changes = 3, 20
	var group sync.WaitGroup
	for range servers {
		s := open(t, address)
		group.Go(func() {
			for range changes {
				_, err := s.ChangeSetting(t.Context(), postgres.ClusterAuthoritySetting, func(current []byte) ([]byte, error) {
					return append(bytes.Clone(current), 'x'), nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	s := open(t, address)
	got, err := s.ChangeSetting(t.Context(), postgres.ClusterAuthoritySetting, func(current []byte) ([]byte, error) { return current, nil })
	if err != nil || len(got) != servers*changes {
		t.Errorf("got %d changes, %v, want %d", len(got), err, servers*changes)
	}
	failed := errors.New("failed")
	if _, err := s.ChangeSetting(t.Context(), postgres.ClusterAuthoritySetting, func([]byte) ([]byte, error) { return []byte("other"), failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of the decision", err)
	}
	if got, err := s.ChangeSetting(t.Context(), postgres.ClusterAuthoritySetting, func(current []byte) ([]byte, error) { return current, nil }); err != nil || len(got) != servers*changes {
		t.Errorf("after a failed decision: got %q, %v", got, err)
	}
}
