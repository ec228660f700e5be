package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/backup"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/internal/usage"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// backupOf returns a backup of a new server, and its API key.
func backupOf(t *testing.T, options backup.Options) ([]byte, string) {
	t.Helper()
	c := config(t)
	s := open(t, c)
	key := *s.Issued().AccessKey
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := backup.Write(t.Context(), c.DataDir, &file, options); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), key
}

func TestRestoreToCluster_RefusesWhatIsInUse(t *testing.T) {
	url := withBucket(t)
	complete, _ := backupOf(t, backup.Options{Now: time.Now()})
	withoutKey, _ := backupOf(t, backup.Options{Now: time.Now(), WithoutKey: true})
	emptyConfig := func() server.Config {
		c := config(t)
		c.Database, c.Blobs = pgtest.Database(t), url("prefix-"+filepath.Base(filepath.Dir(c.DataDir)))
		return c
	}
	inUse := emptyConfig()
	if _, err := server.RestoreToCluster(t.Context(), inUse, bytes.NewReader(complete)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*server.Config)
		file   []byte
		want   string
	}{
		"a database in use":      {func(c *server.Config) { c.Database = inUse.Database }, complete, "the database is not empty"},
		"a prefix in use":        {func(c *server.Config) { c.Blobs = inUse.Blobs }, complete, "the prefix of the bucket is not empty"},
		"a data folder in use":   {func(c *server.Config) { c.DataDir = inUse.DataDir }, complete, "the data folder is not empty"},
		"no bucket":              {func(c *server.Config) { c.Blobs = "" }, complete, "--database and --blobs are both required"},
		"a backup without a key": {func(*server.Config) {}, withoutKey, "no secret.key"},
		"a damaged backup":       {func(*server.Config) {}, complete[:len(complete)/2], "unexpected EOF"},
	} {
		c := emptyConfig()
		test.change(&c)
		_, err := server.RestoreToCluster(t.Context(), c, bytes.NewReader(test.file))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
		if c.Database == inUse.Database {
			continue
		}
		if projects, _ := objectsOf(t, c.Database); len(projects) > 0 {
			t.Errorf("%s: the database has projects", name)
		}
		if c.DataDir == inUse.DataDir {
			continue
		}
		if left, _ := filepath.Glob(c.DataDir + "*"); len(left) > 0 {
			t.Errorf("%s: %v is left", name, left)
		}
	}
	// What was in use still is.
	if err := open(t, inUse).Close(); err != nil {
		t.Error(err)
	}
}

// An attempt that fails after the code was stored can be repeated with the same prefix.
func TestRestoreToCluster_ContinuesAfterAFailure(t *testing.T) {
	url := withBucket(t)
	file, key := backupOf(t, backup.Options{Now: time.Now()})
	other, _ := backupOf(t, backup.Options{Now: time.Now()})
	c := config(t)
	c.Database, c.Blobs = pgtest.Database(t), url("prefix")
	migrated, err := postgres.Open(t.Context(), c.Database, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	_ = migrated.Close()
	pgtest.Execute(t, c.Database, "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$injected$$; END'",
		"CREATE TRIGGER fail BEFORE INSERT ON settings FOR EACH ROW EXECUTE FUNCTION fail()")
	if _, err := server.RestoreToCluster(t.Context(), c, bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), "injected") {
		t.Fatalf("got %v, want the injected error", err)
	}
	if left, _ := filepath.Glob(c.DataDir + "*"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	pgtest.Execute(t, c.Database, "DROP TRIGGER fail ON settings")
	if _, err := server.RestoreToCluster(t.Context(), c, bytes.NewReader(other)); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a backup of another server: got %v, want that the prefix is refused", err)
	}
	if _, err := server.RestoreToCluster(t.Context(), c, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	if _, keys := objectsOf(t, c.Database); len(keys) != 1 || keys[0].AccessKey != key {
		t.Errorf("got keys %v, want %s", keys, key)
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, "secret.key")); err != nil {
		t.Error(err)
	}
}

func TestLoad_StoresAllOrNothing(t *testing.T) {
	t.Parallel()
	s, err := postgres.Open(t.Context(), pgtest.Database(t), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	failure := errors.New("not ready")
	project := iam.Project{ID: "p", OrganizationID: "o", Name: "p", CreatedAt: time.Now()}
	key := iam.APIKey{AccessKey: "SCWAAAAAAAAAAAAAAAAA", ProjectID: "p"}
	used := time.Now().Truncate(time.Minute).UTC()
	load := func(ready error) error {
		return s.Load(t.Context(), postgres.Load{
			Number:  41,
			Objects: func(put func(store.Object) error) error { return errors.Join(put(project), put(key)) },
			Uses: func(note func(usage.Kind, []usage.Use) error) error {
				return note(usage.APIKeys, []usage.Use{{ID: key.AccessKey, At: used}})
			},
			Settings: map[string][]byte{"canary": []byte("c")}, Certificates: map[string][]byte{"a/b": []byte("d")},
			Ready: func() error { return ready },
		})
	}
	if err := load(failure); !errors.Is(err, failure) {
		t.Fatalf("got %v, want the error of Ready", err)
	}
	if err := s.CheckEmpty(t.Context()); err != nil {
		t.Fatalf("after a failure: %v", err)
	}
	if err := load(nil); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckEmpty(t.Context()); !errors.Is(err, postgres.ErrNotEmpty) {
		t.Errorf("CheckEmpty() = %v, want ErrNotEmpty", err)
	}
	if err := load(nil); !errors.Is(err, postgres.ErrNotEmpty) {
		t.Errorf("a second load: got %v, want ErrNotEmpty", err)
	}
	uses, err := s.LastUses(t.Context(), usage.APIKeys, []string{key.AccessKey})
	if err != nil || !uses[key.AccessKey].Equal(used) {
		t.Errorf("got uses %v, %v, want %v", uses, err, used)
	}
	// Followers load a snapshot, and later changes have the next numbers.
	seen := 0
	follower := &snapshot{add: func(store.Object) { seen++ }}
	if err := s.Follow(t.Context(), store.Position{}, follower); err != nil || seen != 2 || follower.at.Number != 41 {
		t.Errorf("a follower: got %d objects at %d, %v, want 2 at 41", seen, follower.at.Number, err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(key) }); err != nil || s.Newest() != 42 {
		t.Errorf("the next change has number %d, %v, want 42", s.Newest(), err)
	}
}

func TestLoad_CountsTokens(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	s, err := postgres.Open(t.Context(), database, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	token := func(id, namespaceID, functionID string) functions.Token {
		return functions.Token{ID: id, Region: "fr-par", ProjectID: "p", NamespaceID: namespaceID, FunctionID: functionID, CreatedAt: time.Now()}
	}
	err = s.Load(t.Context(), postgres.Load{
		Number: 1,
		Objects: func(put func(store.Object) error) error {
			return errors.Join(
				put(iam.Project{ID: "p", OrganizationID: "o", Name: "p", CreatedAt: time.Now()}),
				put(functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"}),
				put(functions.Function{ID: "f", Region: "fr-par", ProjectID: "p", NamespaceID: "n", Name: "f"}),
				put(token("1", "n", "")), put(token("2", "n", "")), put(token("3", "", "f")),
			)
		},
		Uses:  func(func(usage.Kind, []usage.Use) error) error { return nil },
		Ready: func() error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := func(namespace, function int) {
		t.Helper()
		pgtest.Execute(t, database, fmt.Sprintf(`DO $$ BEGIN
			ASSERT (SELECT sum(count) FROM tokens_counts WHERE namespace_id = 'n') = %d, 'the count of the namespace';
			ASSERT (SELECT sum(count) FROM tokens_counts WHERE function_id = 'f') = %d, 'the count of the function';
		END $$`, namespace, function))
	}
	want(2, 1)
	// Later changes count again.
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(token("2", "n", "")) }); err != nil {
		t.Fatal(err)
	}
	want(1, 1)
}

// snapshot is a follower.
type snapshot struct {
	add func(store.Object)
	at  store.Position
}

func (*snapshot) Apply(store.Change) {}

func (s *snapshot) Reload(at store.Position) store.Loader {
	s.at = at
	return store.Loader{Add: s.add, Swap: func() {}}
}
