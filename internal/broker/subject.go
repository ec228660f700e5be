package broker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jeton-dev/jeton/internal/schedule"
)

// The bounds of what waits of a subject that no stream keeps: the client drops
// what is more.
const (
	pendingMessages = 10_000
	pendingBytes    = 8 << 20
)

// subject is a subject that no stream keeps: what comes while nobody listens is
// lost, as NATS has it, and what is to be delivered again waits here.
type subject struct {
	connection   *nats.Conn
	subscription *nats.Subscription

	mu      sync.Mutex
	waiting []*subjectMessage
}

// Fetch implements schedule.Source.
func (s *subject) Fetch(ctx context.Context, most int) ([]schedule.Message, error) {
	found, next := s.due(most)
	if len(found) > 0 {
		return found, nil
	}
	waiting, cancel := context.WithTimeout(ctx, next)
	defer cancel()
	m, err := s.subscription.NextMsgWithContext(waiting)
	if err != nil {
		return nil, unlessEnded(waiting, err)
	}
	for {
		found = append(found, &subjectMessage{Msg: m, of: s, try: 1})
		if len(found) == most {
			return found, nil
		}
		if m, err = s.subscription.NextMsg(0); err != nil {
			return found, nil //nolint:nilerr // There is no more at the moment.
		}
	}
}

// due takes what is to be delivered again now, and tells how long there is
// nothing else of the kind.
func (s *subject) due(most int) ([]schedule.Message, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, wait := time.Now(), fetchWait
	var found []schedule.Message
	kept := s.waiting[:0]
	for _, m := range s.waiting {
		switch left := m.at.Sub(now); {
		case left <= 0 && len(found) < most:
			found = append(found, m)
		default:
			kept = append(kept, m)
			wait = min(wait, max(left, time.Millisecond))
		}
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	return found, wait
}

// Close implements schedule.Source.
func (s *subject) Close() { s.connection.Close() }

type subjectMessage struct {
	*nats.Msg
	of  *subject
	try int
	// at is when the message is to be delivered again.
	at time.Time
}

func (m *subjectMessage) Body() []byte { return m.Data }

func (m *subjectMessage) Try() int { return m.try }

// Done has nothing to tell anybody: no broker knows of the message any more.
func (*subjectMessage) Done(context.Context) error { return nil }

func (m *subjectMessage) Again(_ context.Context, after time.Duration) error {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	m.of.waiting = append(m.of.waiting, &subjectMessage{Msg: m.Msg, of: m.of, try: m.try + 1, at: time.Now().Add(after)})
	return nil
}

func (*subjectMessage) Hold() time.Duration { return 0 }

func (*subjectMessage) Extend(context.Context) error { return nil }
