package certificate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

// Records is a store of small values that several servers share. Keys have parts that are
// separated by slashes; the folder of a key is one or more of its first parts. All methods
// are safe for concurrent use.
type Records interface {
	Put(ctx context.Context, key string, value []byte) error
	// Get returns a value and the time of its last change, or fs.ErrNotExist.
	Get(ctx context.Context, key string) (value []byte, modified time.Time, err error)
	// Delete deletes a value, and all values in the folder of this name. It succeeds if
	// there are none.
	Delete(ctx context.Context, key string) error
	// List returns all keys in a folder, or all keys if folder is empty.
	List(ctx context.Context, folder string) (keys []string, err error)
	// Lock acquires or renews a lock, and reports whether the holder has it. It is free
	// when Unlock was called or the time has passed.
	Lock(ctx context.Context, name, holder string, life time.Duration) (bool, error)
	Unlock(ctx context.Context, name, holder string) error
}

const (
	// lockLife is the time after which the lock of a server that has crashed is free, and
	// lockRenewal the time after which a lock is renewed.
	lockLife    = 30 * time.Second
	lockRenewal = lockLife / 3
	// lockPoll is the time between two attempts to acquire a lock.
	lockPoll = 500 * time.Millisecond
)

// recordStorage implements certmagic.Storage with Records. Values are sealed.
type recordStorage struct {
	records Records
	sealer  Sealer

	mu sync.Mutex
	// held are the locks of this server.
	held map[string]heldLock
}

type heldLock struct {
	holder string
	// stop ends the renewals and waits for their end.
	stop func()
}

var _ certmagic.Storage = (*recordStorage)(nil)

func newRecordStorage(records Records, sealer Sealer) *recordStorage {
	return &recordStorage{records: records, sealer: sealer, held: map[string]heldLock{}}
}

// Store implements certmagic.Storage.
func (s *recordStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.records.Put(ctx, key, s.sealer.Seal(value, ACMEPurpose(key)))
}

// Load implements certmagic.Storage.
func (s *recordStorage) Load(ctx context.Context, key string) ([]byte, error) {
	plain, _, err := s.load(ctx, key)
	return plain, err
}

func (s *recordStorage) load(ctx context.Context, key string) (plain []byte, modified time.Time, err error) {
	sealed, modified, err := s.records.Get(ctx, key)
	if err != nil {
		return nil, time.Time{}, err
	}
	plain, err = s.sealer.Open(sealed, ACMEPurpose(key))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read certificate record %s: %w", key, err)
	}
	return plain, modified, nil
}

// Delete implements certmagic.Storage.
func (s *recordStorage) Delete(ctx context.Context, key string) error {
	return s.records.Delete(ctx, key)
}

// Exists implements certmagic.Storage.
func (s *recordStorage) Exists(ctx context.Context, key string) bool {
	_, err := s.Stat(ctx, key)
	return err == nil
}

// List implements certmagic.Storage.
func (s *recordStorage) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	keys, err := s.records.List(ctx, folder)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("list certificate records %q: %w", folder, fs.ErrNotExist)
	}
	prefix := ""
	if folder != "" {
		prefix = folder + "/"
	}
	seen := map[string]bool{}
	var found []string
	for _, key := range keys {
		rest := strings.Split(strings.TrimPrefix(key, prefix), "/")
		// Folders are listed, too.
		for n := range rest {
			name := prefix + strings.Join(rest[:n+1], "/")
			if !seen[name] {
				seen[name] = true
				found = append(found, name)
			}
			if !recursive {
				break
			}
		}
	}
	return found, nil
}

// Stat implements certmagic.Storage.
func (s *recordStorage) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	plain, modified, err := s.load(ctx, key)
	if err == nil {
		return certmagic.KeyInfo{Key: key, Modified: modified, Size: int64(len(plain)), IsTerminal: true}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return certmagic.KeyInfo{}, err
	}
	keys, listErr := s.records.List(ctx, key)
	if listErr != nil || len(keys) == 0 {
		return certmagic.KeyInfo{}, errors.Join(err, listErr)
	}
	return certmagic.KeyInfo{Key: key}, nil
}

// Lock implements certmagic.Locker. The lock is renewed until Unlock.
func (s *recordStorage) Lock(ctx context.Context, name string) error {
	holder := rand.Text()
	for {
		locked, err := s.records.Lock(ctx, name, holder, lockLife)
		if err != nil {
			return err
		}
		if locked {
			s.hold(ctx, name, holder)
			return nil
		}
		timer := time.NewTimer(lockPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// hold renews a lock until Unlock. A failure is not reported: others may acquire the lock
// after lockLife, and then obtain the same certificate again.
func (s *recordStorage) hold(ctx context.Context, name, holder string) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var renewals sync.WaitGroup
	renewals.Go(func() {
		ticker := time.NewTicker(lockRenewal)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			if locked, err := s.records.Lock(ctx, name, holder, lockLife); err == nil && !locked {
				return
			}
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = heldLock{holder, func() { cancel(); renewals.Wait() }}
}

// Unlock implements certmagic.Locker.
func (s *recordStorage) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	held, ok := s.held[name]
	delete(s.held, name)
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("unlock %q: not locked", name)
	}
	held.stop()
	return s.records.Unlock(context.WithoutCancel(ctx), name, held.holder)
}
