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

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil || s.Newest() != 0 {
		t.Errorf("a new store: %v, newest %d", err, s.Newest())
	}
	err = s.Update(t.Context(), func(tx store.Tx) error {
		return tx.Put(iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "o", Name: "n", CreatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil || s.Newest() != 1 {
		t.Errorf("after a change: %v, newest %d: to check is no change", err, s.Newest())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(ended); err == nil {
		t.Error("it does not end with its context")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err == nil {
		t.Error("a closed store is well")
	}
}

// A writer that is stuck makes the store unwell, and does not hold the check.
func TestCheckDuringLongWrite(t *testing.T) {
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
		t.Error("the store is well while nobody can write")
	}
	if s.Newest() != 0 {
		t.Error("a change is counted before its commit")
	}
	close(release)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A store whose files cannot be written to is unwell, though it can be read.
func TestCheckNeedsToWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jeton.db")
	s, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	// Another program's lock on the file stands for a disk that takes nothing.
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
		t.Error("the store is well while its file is locked")
	}
}
