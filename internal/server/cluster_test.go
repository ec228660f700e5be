package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// nodeConfig returns the configuration of a node of a cluster.
func nodeConfig(t *testing.T, database, name string, key []byte) server.Config {
	t.Helper()
	c := config(t)
	c.Database, c.Node, c.ClusterListen = database, name, "127.0.0.1:0"
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.DataDir, "secret.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// objectsOf returns the projects and API keys in a database.
func objectsOf(t *testing.T, database string) (projects []iam.Project, keys []iam.APIKey) {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.View(t.Context(), func(tx store.Tx) (err error) {
		var failed error
		projects, failed = tx.Projects()
		keys, err = tx.APIKeys()
		return errors.Join(failed, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return projects, keys
}

func TestOpen_FirstStartOfThreeNodesCreatesOneProject(t *testing.T) {
	t.Parallel()
	for range 5 {
		database, key := pgtest.Database(t), make([]byte, 32)
		servers := make([]*server.Server, 3)
		configs := make([]server.Config, 3)
		failures := make([]error, 3)
		var group sync.WaitGroup
		for i := range servers {
			configs[i] = nodeConfig(t, database, string(rune('a'+i)), key)
			group.Go(func() {
				servers[i], failures[i] = server.Open(t.Context(), configs[i], slog.New(slog.NewTextHandler(t.Output(), nil)))
			})
		}
		group.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		projects, keys := objectsOf(t, database)
		if len(projects) != 1 || len(keys) != 1 {
			t.Fatalf("got %d projects and %d API keys, want one of each", len(projects), len(keys))
		}
		issued := 0
		for i, s := range servers {
			written, err := scw.LoadConfigFromPath(configs[i].Credentials)
			if profile := s.Issued(); profile != nil {
				issued++
				if err != nil || *written.AccessKey != keys[0].AccessKey || *profile.AccessKey != keys[0].AccessKey {
					t.Errorf("the credentials file of the first node has not the stored key: %v", err)
				}
			} else if err == nil {
				t.Errorf("node %d has a credentials file", i)
			}
			if left, _ := filepath.Glob(configs[i].Credentials + ".pending"); len(left) > 0 {
				t.Errorf("node %d has left %v", i, left)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if issued != 1 {
			t.Errorf("%d nodes issued an API key, want one", issued)
		}
	}
}

// A crash after the commit leaves the pending file, and a crash before it too.
func TestOpen_CompletesTheCredentialsOfAnInterruptedStart(t *testing.T) {
	t.Parallel()
	c := config(t)
	first := open(t, c)
	key := *first.Issued().AccessKey
	if err := errors.Join(first.Close(), os.Rename(c.Credentials, c.Credentials+".pending")); err != nil {
		t.Fatal(err)
	}
	if err := open(t, c).Close(); err != nil {
		t.Fatal(err)
	}
	if written, err := scw.LoadConfigFromPath(c.Credentials); err != nil || *written.AccessKey != key {
		t.Fatalf("the credentials were not completed: %v", err)
	}
	unknown := "SCWXXXXXXXXXXXXXXXXX"
	if err := server.SaveCredentials(c.Credentials+".pending", &scw.Config{Profile: scw.Profile{AccessKey: &unknown}}); err != nil {
		t.Fatal(err)
	}
	open(t, c)
	if written, err := scw.LoadConfigFromPath(c.Credentials); err != nil || *written.AccessKey != key {
		t.Errorf("the credentials of a start without a commit replaced others: %v", err)
	}
	if _, err := os.Stat(c.Credentials + ".pending"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pending file is left: %v", err)
	}
}

// openMember opens a node that runs until the test ends.
func openMember(t *testing.T, c server.Config) *server.Server {
	t.Helper()
	s, err := server.Open(t.Context(), c, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// memberRows returns the members in a database, and the number of its last change.
func memberRows(t *testing.T, database string) (members []store.Member, head int64) {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.View(t.Context(), func(tx store.Tx) (err error) {
		members, err = tx.Members()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return members, s.Newest()
}

// A node that must not join is refused with words, and changes nothing.
func TestOpen_RefusesNodesThatDoNotBelong(t *testing.T) {
	url := withBucket(t)
	database, key := pgtest.Database(t), make([]byte, 32)
	member := func(name string, key []byte, blobs string) server.Config {
		c := nodeConfig(t, database, name, key)
		c.Blobs, c.CacheDir = blobs, t.TempDir()
		c.Lease, c.LeaseMargin = 2*time.Second, 500*time.Millisecond
		return c
	}
	openMember(t, member("a", key, url("one")))
	var before []store.Member
	var head int64
	await.True(t, "the first node joins", func() bool {
		before, head = memberRows(t, database)
		return len(before) == 1
	})
	for _, refused := range []struct {
		what   string
		config server.Config
		want   string
	}{
		{"a name that another node has", member("a", key, url("one")), `has the name "a": stop it, or choose another name with --node-name`},
		{"a cluster with another key", member("b", bytes.Repeat([]byte{7}, 32), url("one")), "key"},
		{"a cluster with another bucket", member("b", key, url("two")), "/one: pass that URL with --blobs"},
	} {
		s, err := server.Open(t.Context(), refused.config, slog.New(slog.DiscardHandler))
		if err == nil {
			err = errors.Join(s.Run(t.Context()), s.Close())
		}
		if err == nil || !strings.Contains(err.Error(), refused.want) {
			t.Errorf("%s: got %v, want an error with %q", refused.what, err, refused.want)
		}
	}
	after, newest := memberRows(t, database)
	if len(after) != 1 || after[0].Incarnation != before[0].Incarnation || newest != head {
		t.Errorf("got members %v and change %d, want %v and %d", after, newest, before, head)
	}
}
