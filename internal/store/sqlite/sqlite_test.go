package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
)

func open(t *testing.T, path string, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, time.Now, options...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	storetest.Run(t, func(t *testing.T, name string, keep store.Retention) store.Store {
		t.Helper()
		return open(t, filepath.Join(dir, name+" 100% & ?#.db"), sqlite.WithRetention(keep))
	})
}

func TestOpen_RefusesNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	if _, err := sqlite.Open(t.Context(), path, time.Now); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("Open() = %v, want ErrNewer", err)
	}
}

func TestOpen_NamesFileThatIsNotDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, time.Now); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Open() = %v, want an error that names the file", err)
	}
}

// TestLog_IsBounded fills the log of a database and checks how many changes stay.
func TestLog_IsBounded(t *testing.T) {
	t.Parallel()
	const (
		changes = 1005
		body    = 100
		many    = 1 << 40
	)
	keep := store.Retention{Changes: 1000, Bytes: many, Age: time.Hour}
	for name, test := range map[string]struct {
		keep store.Retention
		// age is the age of the changes.
		age  time.Duration
		kept int
	}{
		"by number":       {keep, 0, 1000},
		"by size":         {store.Retention{Changes: many, Bytes: 500 * body, Age: time.Hour}, 0, 500},
		"by age":          {keep, 2 * time.Hour, 2},
		"within bounds":   {store.Retention{Changes: many, Bytes: many, Age: time.Hour}, 0, changes + 2},
		"never the last":  {store.Retention{}, 0, 1},
		"negative bounds": {store.Retention{Changes: -1, Bytes: -1, Age: -1}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "jeton.db")
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			db := database(t, path)
			_, err := db.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
				INSERT INTO changes (number, at, kind, id, deleted, uid, body) SELECT i, ?, 'tokens', 'x', 0, i, hex(zeroblob(?)) FROM n`,
				changes, time.Now().Add(-test.age).UnixNano(), body/2)
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, path, sqlite.WithRetention(test.keep))
			for range 2 {
				if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(functions.Token{ID: "x"}) }); err != nil {
					t.Fatal(err)
				}
			}
			var count, newest int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*), max(number) FROM changes").Scan(&count, &newest); err != nil {
				t.Fatal(err)
			}
			// The bodies of the two changes of the test have another size.
			slack := 0
			if name == "by size" {
				slack = 10
			}
			if count > test.kept || count < test.kept-slack || newest != changes+2 {
				t.Errorf("%d changes up to %d are kept, want %d up to %d", count, newest, test.kept, changes+2)
			}
		})
	}
}

// TestLog_KeepsObjectsAsTheirTablesDo checks that the log adds no secret to the
// file: its bodies equal those of the objects' tables.
func TestLog_KeepsObjectsAsTheirTablesDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	s := open(t, path)
	key, _ := iam.NewAPIKey(iam.Project{ID: "p"}, time.Now(), iam.FullAccess)
	objects := []store.Object{
		iam.Project{ID: "p"},
		key,
		functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n", PrivateKey: []byte("sealed key"), Secrets: []functions.SecretVariable{{Key: "K", Sealed: []byte("sealed")}}},
		functions.Token{ID: "t", Region: "fr-par", ProjectID: "p", NamespaceID: "n", Digest: functions.DigestOf("text")},
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for _, o := range objects {
			if err := tx.Put(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var same int
	err = database(t, path).QueryRowContext(t.Context(), `SELECT count(*) FROM changes JOIN
		(SELECT id, body FROM projects UNION SELECT id, body FROM api_keys UNION SELECT id, body FROM namespaces UNION SELECT id, body FROM tokens) AS o
		ON o.id = changes.id AND o.body = changes.body`).Scan(&same)
	if err != nil || same != len(objects) {
		t.Errorf("%d bodies are the same, %v, want %d", same, err, len(objects))
	}
}

// TestFollow_LoadsSnapshotAfterUpgrade opens a database whose changes have no
// bodies, as versions before them wrote.
func TestFollow_LoadsSnapshotAfterUpgrade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	s := open(t, path)
	var changes []store.Change
	if err := s.Follow(t.Context(), store.Position{}, store.Hook{OnChange: func(c store.Change) { changes = append(changes, c) }}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"p", "q"} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(iam.Project{ID: id}) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "DROP TABLE members; ALTER TABLE changes DROP COLUMN body; DELETE FROM goose_db_version WHERE version_id >= 6")
	s = open(t, path)
	reloads := 0
	hook := store.Hook{OnChange: func(c store.Change) { changes = append(changes, c) }, OnReload: func() { reloads++ }}
	if err := s.Follow(t.Context(), changes[0].Position(), hook); err != nil || reloads != 1 || len(changes) != 2 {
		t.Errorf("Follow returns %v, %d snapshots and %d changes", err, reloads, len(changes)-2)
	}
}

func database(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db := database(t, path)
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpen_CountsTokensAfterUpgrade opens a database of a version without counts.
func TestOpen_CountsTokensAfterUpgrade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	project := iam.Project{ID: "p", CreatedAt: time.Now()}
	s := open(t, path)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		err := errors.Join(tx.Put(project), tx.Put(functions.Namespace{ID: "n", Region: "fr-par", ProjectID: "p", Name: "n"}))
		for _, id := range []string{"a", "b", "c"} {
			err = errors.Join(err, tx.Put(functions.Token{ID: id, Region: "fr-par", ProjectID: "p", NamespaceID: "n"}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `DROP TABLE members; DROP TRIGGER tokens_moved; DROP TRIGGER tokens_deleted; DROP TRIGGER tokens_inserted; DROP TABLE tokens_counts; ALTER TABLE changes DROP COLUMN uid; ALTER TABLE changes DROP COLUMN body;
		DELETE FROM goose_db_version WHERE version_id >= 4`)
	s = open(t, path)
	err = s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Delete(functions.Token{ID: "b"}); err != nil {
			return err
		}
		found, total, err := tx.Tokens(functions.Filter{NamespaceID: "n"}, functions.Page{Number: 1, Size: 100})
		if total != 2 || len(found) != 2 {
			t.Errorf("got %d tokens of %d, want 2 of 2", len(found), total)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFollow_KeepsViewIfSnapshotCannotBeRead damages one object of the database.
func TestFollow_KeepsViewIfSnapshotCannotBeRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	s := open(t, path)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put(iam.Project{ID: "p"}), tx.Put(iam.Project{ID: "q"}))
	}); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `UPDATE projects SET body = '{"ID":"../q"}' WHERE id = 'q'`)
	swapped := false
	err := s.Follow(t.Context(), store.Position{}, store.Hook{OnReload: func() { swapped = true }})
	if functions.CodeOf(err) != functions.Unavailable || swapped {
		t.Errorf("Follow() = %v, swapped: %v, want an error that the database is damaged", err, swapped)
	}
}
