package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Rows is a table of entries that several servers share. Entries have increasing numbers, in
// the order in which readers see them.
type Rows interface {
	// AppendAudit appends entries, and removes the oldest ones while all have more than
	// maxBytes bytes or entries are older than oldest.
	AppendAudit(ctx context.Context, at []time.Time, entries []string, maxBytes int64, oldest time.Time) error
	// AuditEntries calls each with at most limit entries after a number since a time, in
	// the order of their numbers.
	AuditEntries(ctx context.Context, after int64, since time.Time, limit int, each func(number int64, entry string)) error
}

const (
	// maxBytes and maxAge bound the entries of all servers. The size is that of all files
	// of a Log.
	maxBytes = (kept + 1) * maxSize
	maxAge   = 400 * 24 * time.Hour

	// queued bounds the entries that wait to be stored, and batch those of one transaction.
	queued = 1024
	batch  = 256
	// appendTimeout bounds one transaction, and the time for which Append waits.
	appendTimeout = 5 * time.Second
)

var (
	errQueueFull = errors.New("audit log: too many entries wait to be stored")
	errTimeout   = errors.New("audit log: the database did not store the entry in time")
	errClosed    = errors.New("audit log: closed")
)

// SharedConfig has the dependencies of a Shared. All fields are required.
type SharedConfig struct {
	Rows Rows
	Now  func() time.Time
	// Log receives errors of entries for which Append does not wait.
	Log *slog.Logger
}

// Shared appends entries to Rows. Concurrent entries share a transaction. It implements Sink.
type Shared struct {
	config SharedConfig
	queue  chan pending

	// mu is held for writing by Close, so that no entry is queued after it.
	mu     sync.RWMutex
	closed bool
	done   chan struct{}
}

// pending is an entry that waits to be stored.
type pending struct {
	at   time.Time
	line string
	// stored receives the outcome; nil if nothing waits for it.
	stored chan error
}

// OpenShared returns a Shared, which must be closed. Returns an error if a required field is
// missing.
func OpenShared(c SharedConfig) (*Shared, error) {
	if c.Rows == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("configure audit: Rows, Now and Log are required")
	}
	s := &Shared{config: c, queue: make(chan pending, queued), done: make(chan struct{})}
	go s.run()
	return s, nil
}

// Append implements Sink. Without sync, it returns before the entry is stored.
func (s *Shared) Append(e Entry, sync bool) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	p := pending{at: e.At, line: string(line)}
	if sync {
		p.stored = make(chan error, 1)
	}
	if err := s.enqueue(p); err != nil || !sync {
		return err
	}
	timer := time.NewTimer(appendTimeout)
	defer timer.Stop()
	select {
	case err := <-p.stored:
		return err
	case <-timer.C:
		return errTimeout
	}
}

// enqueue does not wait: an attacker who fills the queue must not delay requests.
func (s *Shared) enqueue(p pending) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	select {
	case s.queue <- p:
		return nil
	default:
		return errQueueFull
	}
}

// Close stores the entries that wait, and returns when that has ended.
func (s *Shared) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.queue)
	}
	s.mu.Unlock()
	<-s.done
	return nil
}

func (s *Shared) run() {
	defer close(s.done)
	for first := range s.queue {
		all := []pending{first}
		for len(all) < batch && len(s.queue) > 0 {
			p, ok := <-s.queue
			if !ok {
				break
			}
			all = append(all, p)
		}
		s.store(all)
	}
}

// store stores entries in one transaction.
func (s *Shared) store(all []pending) {
	times, lines := make([]time.Time, len(all)), make([]string, len(all))
	for i, p := range all {
		times[i], lines[i] = p.at, p.line
	}
	ctx, cancel := context.WithTimeout(context.Background(), appendTimeout)
	defer cancel()
	err := s.config.Rows.AppendAudit(ctx, times, lines, maxBytes, s.config.Now().Add(-maxAge))
	lost := 0
	for _, p := range all {
		if p.stored != nil {
			p.stored <- err
		} else {
			lost++
		}
	}
	if err != nil && lost > 0 {
		s.config.Log.Error("entries of the audit log may be lost", "entries", lost, "error", err)
	}
}
