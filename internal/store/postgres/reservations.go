package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// Reservations implements blob.SharedReservations with the database. It is safe for
// concurrent use.
type Reservations struct {
	store *Store
	// incarnation returns that of this member.
	incarnation func() string

	mu sync.Mutex
	// ended are reservations that could not be deleted yet.
	ended []string
}

// Reservations returns the reservations of storage that the members of the database share.
// They count as long as the incarnation that made them is a member.
func (s *Store) Reservations(incarnation func() string) *Reservations {
	return &Reservations{store: s, incarnation: incarnation}
}

const sumReservations = `SELECT coalesce(sum(bytes), 0)::bigint FROM reservations
	WHERE project_id = $1 AND id <> $2 AND incarnation IN (SELECT id FROM members)`

// Sum implements blob.SharedReservations.
func (r *Reservations) Sum(ctx context.Context, projectID string) (bytes int64, err error) {
	err = r.store.retry(ctx, func() error {
		return againIf(r.store.pool.QueryRow(ctx, sumReservations, projectID, "").Scan(&bytes))
	})
	if err != nil {
		return 0, fmt.Errorf("read the reservations of storage: %w", r.store.explain(err))
	}
	return bytes, nil
}

// Add implements blob.SharedReservations.
func (r *Reservations) Add(ctx context.Context, projectID string, bytes int64) (others int64, release func(), err error) {
	id := rand.Text()
	r.mu.Lock()
	ended := r.ended
	r.mu.Unlock()
	// Under the lock of all writers: of two that reserve at the same time, one sees the other.
	err = r.store.locked(ctx, func(t *tx) error {
		// A crash of PostgreSQL may lose them.
		if err := t.exec("SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		if err := t.exec("DELETE FROM reservations WHERE id = ANY($1) OR incarnation NOT IN (SELECT id FROM members)", ended); err != nil {
			return err
		}
		if err := t.exec("INSERT INTO reservations (id, project_id, incarnation, bytes) VALUES ($1, $2, $3, $4)", id, projectID, r.incarnation(), bytes); err != nil {
			return err
		}
		return t.scan(sumReservations, []any{projectID, id}, &others)
	})
	if err != nil {
		return 0, nil, fmt.Errorf("reserve storage: %w", err)
	}
	r.forget(len(ended))
	return others, sync.OnceFunc(func() { r.release(id) }), nil
}

// forget removes the first of the reservations that were to be deleted.
func (r *Reservations) forget(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = r.ended[min(n, len(r.ended)):]
}

// releaseTimeout bounds a deletion. After it, the next Add deletes the reservation.
const releaseTimeout = 2 * time.Second

func (r *Reservations) release(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	if _, err := r.store.pool.Exec(ctx, "DELETE FROM reservations WHERE id = $1", id); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = append(r.ended, id)
	}
}
