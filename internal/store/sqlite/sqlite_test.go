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
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
)

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	storetest.Run(t, func(t *testing.T, name string) storetest.Store {
		t.Helper()
		return open(t, filepath.Join(dir, name+" 100% & ?#.db"))
	})
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	if _, err := sqlite.Open(t.Context(), path, time.Now); !errors.Is(err, sqlite.ErrNewer) {
		t.Errorf("Open returns %v, want ErrNewer", err)
	}
}

func TestOpenSaysWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, time.Now); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Open returns %v, want an error that names the file", err)
	}
}

func TestOldChangesAreRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)
		INSERT INTO changes (number, at, kind, id, deleted) SELECT i, 0, 'tokens', 'x', 0 FROM n`)
	s := open(t, path)
	err := s.Update(t.Context(), func(tx functions.Tx) error {
		return tx.Delete(functions.Token{ID: "x"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var count, newest int
	db := database(t, path)
	if err := db.QueryRowContext(t.Context(), "SELECT count(*), max(number) FROM changes").Scan(&count, &newest); err != nil {
		t.Fatal(err)
	}
	if count != 10000 || newest != 10006 {
		t.Errorf("%d changes are kept up to %d, want 10000 up to 10006", count, newest)
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

// A store of before the counts has its tokens counted when it is opened.
func TestTokensAreCountedAtAnUpgrade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	project := iam.Project{ID: "p", CreatedAt: time.Now()}
	s := open(t, path)
	err := s.Update(t.Context(), func(tx functions.Tx) error {
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
	execute(t, path, `DROP TRIGGER tokens_moved; DROP TRIGGER tokens_deleted; DROP TRIGGER tokens_inserted; DROP TABLE tokens_counts; ALTER TABLE changes DROP COLUMN uid;
		DELETE FROM goose_db_version WHERE version_id >= 4`)
	s = open(t, path)
	err = s.Update(t.Context(), func(tx functions.Tx) error {
		if err := tx.Delete(functions.Token{ID: "b"}); err != nil {
			return err
		}
		found, total, err := tx.Tokens(functions.Filter{NamespaceID: "n"}, functions.Page{Number: 1, Size: 100})
		if total != 2 || len(found) != 2 {
			t.Errorf("%d tokens of %d, want 2 of 2", len(found), total)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
