package removal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/removal"
	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
	"github.com/jeton-dev/jeton/test/shared"
)

func TestMain(m *testing.M) { shared.Main(m, pgtest.StopShared, s3server.StopShared) }

const (
	retention = 24 * time.Hour
	prefix    = "jeton/"
)

// A cluster is a database and a bucket that several nodes use.
type cluster struct {
	database, bucket string

	mu  sync.Mutex
	now time.Time
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{database: pgtest.Database(t), bucket: s3server.Shared(t).Bucket(t), now: time.Now()}
}

func (c *cluster) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cluster) after(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// keys returns the keys of archives and artifacts.
func (c *cluster) keys(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(s3server.Shared(t).Keys(t, c.bucket), func(key string) bool { return !strings.HasPrefix(key, prefix+"ar") })
}

func (c *cluster) putObject(t *testing.T, key, content string) {
	t.Helper()
	_, err := s3server.Shared(t).Client(t).PutObject(t.Context(), c.bucket, prefix+key, bytes.NewReader([]byte(content)), int64(len(content)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// A node is what one server has.
type node struct {
	*testing.T

	db        *postgres.Store
	bucket    *s3.Bucket
	archives  *s3.Archives
	artifacts *s3.Artifacts
	service   *functions.Service
}

func (c *cluster) node(t *testing.T) *node {
	t.Helper()
	db, err := postgres.Open(t.Context(), c.database, c.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	removals, err := removal.New(removal.Config{Database: db, Retention: retention, Interval: time.Minute, Now: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	location, err := s3.ParseLocation(s3server.Shared(t).URL(c.bucket, strings.TrimSuffix(prefix, "/")))
	if err != nil {
		t.Fatal(err)
	}
	n := &node{T: t, db: db}
	n.bucket, err = s3.Open(t.Context(), s3.Config{
		Location: location, Dir: t.TempDir(), CacheSize: 1 << 30, BuildCache: 1 << 30, Installation: "one", Now: c.clock, Removals: removals,
		Credentials: credentials.NewStaticV4(s3server.AccessKey, s3server.SecretKey, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	n.archives = n.bucket.Archives()
	if n.artifacts, err = n.bucket.Artifacts(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.artifacts.Close() })
	n.service, err = functions.NewService(functions.Config{
		Store: store.Functions(db), Limits: functions.DefaultLimits(), Domain: "functions.test", Now: c.clock,
		// The upload of code uses none of these.
		Runtimes: struct{ functions.Runtimes }{}, Minter: struct{ functions.Minter }{}, Hasher: struct{ functions.Hasher }{},
		Sealer: struct{ functions.Sealer }{}, NewID: func() string { return "" }, NewSuffix: func() string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// put stores objects in the database.
func (n *node) put(objects ...store.Object) {
	n.Helper()
	err := n.db.Update(n.Context(), func(tx store.Tx) (err error) {
		for _, o := range objects {
			err = errors.Join(err, tx.Put(o))
		}
		return err
	})
	if err != nil {
		n.Fatal(err)
	}
}

// function creates the function f.
func (n *node) function() {
	n.Helper()
	n.put(
		iam.Project{ID: "p", OrganizationID: "o", Name: "p"},
		functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"},
		functions.Function{ID: "f", Region: "fr-par", ProjectID: "p", OrganizationID: "o", NamespaceID: "n", Name: "f", Status: functions.Created},
	)
}

// change changes the function f.
func (n *node) change(change func(store.Tx, *functions.Function) error) error {
	return n.db.Update(n.Context(), func(tx store.Tx) error {
		f, err := tx.Function("f")
		if err != nil {
			return err
		}
		if err := change(tx, &f); err != nil {
			return err
		}
		return tx.Put(f)
	})
}

// upload uploads the code of the function f as the API does. Before each commit, it calls
// before.
func (n *node) upload(content string, before func(attempt int)) (blob.Archive, error) {
	attempt := 0
	return n.archives.Put(n.Context(), "f", strings.NewReader(content), int64(len(content)), func(a blob.Archive) error {
		attempt++
		before(attempt)
		err := n.service.CodeUploaded(n.Context(), "f", a.Digest, a.Key)
		if errors.Is(err, functions.ErrCondemned) {
			return errors.Join(err, blob.ErrCondemned)
		}
		return err
	})
}

// mustUpload uploads code and returns its digest.
func (n *node) mustUpload(content string) string {
	n.Helper()
	a, err := n.upload(content, func(int) {})
	if err != nil {
		n.Fatal(err)
	}
	return a.Digest
}

// prune removes the archives that f does not need, as the API and the reconciler do.
func (n *node) prune() error { return n.pruneAfter(func() {}) }

// pruneAfter is like prune, but calls after between the decision and the removal.
func (n *node) pruneAfter(after func()) error {
	return n.archives.Prune(n.Context(), "f", func() ([]string, error) {
		f, err := n.service.FunctionByID(n.Context(), "f")
		after()
		return f.Archives(), err
	})
}

func (n *node) wantArchive(digest, want string) {
	n.Helper()
	opened, err := n.archives.Open(n.Context(), "f", digest)
	if err != nil {
		n.Errorf("open %s: %v", want, err)
		return
	}
	defer opened.Close()
	got, err := io.ReadAll(io.NewSectionReader(opened, 0, opened.Size()))
	if err != nil || string(got) != want {
		n.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// build stores an artifact of f.
func (n *node) build(name string) blob.Ref {
	n.Helper()
	dir, err := n.artifacts.Workspace(n.Context())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "file"), []byte(name), 0o600)
	}
	ref := blob.Ref{FunctionID: "f", Name: name}
	if err == nil {
		err = n.artifacts.Put(n.Context(), ref, dir)
	}
	if err != nil {
		n.Fatal(err)
	}
	return ref
}

// deploy makes an artifact the serving one, as the reconciler does.
func (n *node) deploy(ref blob.Ref) error {
	return n.change(func(tx store.Tx, f *functions.Function) error {
		f.Revision = &functions.Revision{ID: "r", Artifact: ref.Name}
		return tx.Usable(ref.Key())
	})
}

// keep removes the artifacts that f does not need. It calls after between the decision and
// the removal.
func (n *node) keep(after func()) error {
	return n.artifacts.Keep(n.Context(), "f", func() ([]string, error) {
		f, err := n.service.FunctionByID(n.Context(), "f")
		after()
		if f.Revision == nil {
			return nil, err
		}
		return []string{f.Revision.Artifact}, err
	})
}

func (n *node) collect() {
	n.Helper()
	if err := n.bucket.Collect(n.Context()); err != nil {
		n.Fatal(err)
	}
}

func (n *node) wantArtifact(ref blob.Ref, want bool) {
	n.Helper()
	if has, err := n.artifacts.Has(context.WithoutCancel(n.Context()), ref); err != nil || has != want {
		n.Errorf("Has(%s) = %v, %v, want %v", ref.Name, has, err, want)
	}
}
