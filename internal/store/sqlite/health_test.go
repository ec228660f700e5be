package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

func TestCheck_ReportsWhetherStoreIsUsable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil || s.Newest() != 0 {
		t.Errorf("a new store: Check() = %v, Newest() = %d", err, s.Newest())
	}
	err = s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "o", Name: "n", CreatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil || s.Newest() != 1 {
		t.Errorf("after one change: Check() = %v, Newest() = %d, want 1", err, s.Newest())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ended); err == nil {
		t.Error("Check() = nil with a canceled context")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err == nil {
		t.Error("Check() = nil for a closed store")
	}
}

func TestCheck_FailsWhileWriterHangs(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	writing, release := make(chan struct{}), make(chan struct{})
	written := make(chan error, 1)
	go func() {
		written <- s.Update(context.Background(), func(store.Tx) error { close(writing); <-release; return nil })
	}()
	<-writing
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Check(short); err == nil {
		t.Error("Check() = nil although nothing can be written")
	}
	if s.Newest() != 0 {
		t.Error("Newest() counts a change before its commit")
	}
	close(release)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("after the write: Check() = %v", err)
	}
}

func TestCheck_FailsIfFileIsReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	s, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	// A lock of another program on the file has the same effect.
	other, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	writing, release := make(chan struct{}), make(chan struct{})
	go func() {
		_ = other.Update(context.Background(), func(store.Tx) error { close(writing); <-release; return os.ErrClosed })
	}()
	<-writing
	defer close(release)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Check(short); err == nil {
		t.Error("Check() = nil although the file is locked")
	}
}
