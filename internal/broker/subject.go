package broker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jeton-dev/jeton/internal/schedule"
)

// The limits of the messages of a plain subscription that wait for a fetch. The client
// library drops further messages.
const (
	pendingMessages = 10_000
	pendingBytes    = 8 << 20
)

// subject is a source with the messages of a plain subscription. NATS does not store
// them: without a subscriber they are lost, and redeliveries wait in memory.
type subject struct {
	connection   *nats.Conn
	subscription *nats.Subscription

	mu      sync.Mutex
	waiting []*subjectMessage
	// wake ends the wait of Fetch; nil if it does not wait.
	wake func()
}

// Fetch implements schedule.Source.
func (s *subject) Fetch(ctx context.Context, limit int) ([]schedule.Message, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	// A message that becomes due earlier ends the wait.
	found, next := s.due(limit, cancel)
	defer s.setWake(nil)
	if len(found) > 0 {
		return found, nil
	}
	waiting, end := context.WithTimeout(waiting, next)
	defer end()
	m, err := s.subscription.NextMsgWithContext(waiting)
	if err != nil {
		return nil, unlessEnded(waiting, err)
	}
	for {
		found = append(found, &subjectMessage{Msg: m, of: s, try: 1})
		if len(found) == limit {
			return found, nil
		}
		if m, err = s.subscription.NextMsg(0); err != nil {
			return found, nil //nolint:nilerr // No more messages are available now.
		}
	}
}

func (s *subject) setWake(wake func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = wake
}

// due returns the messages to deliver again now, and how long no other is due. A message that is
// to be delivered again from now on calls wake.
func (s *subject) due(limit int, wake func()) ([]schedule.Message, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = wake
	now, wait := time.Now(), fetchWait
	var found []schedule.Message
	kept := s.waiting[:0]
	for _, m := range s.waiting {
		switch left := m.at.Sub(now); {
		case left <= 0 && len(found) < limit:
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

// Watch implements schedule.Watched.
func (s *subject) Watch(changed func(connected bool)) { watch(s.connection, changed) }

// Close implements schedule.Source.
func (s *subject) Close() { s.connection.Close() }

type subjectMessage struct {
	*nats.Msg
	of  *subject
	try int
	// at is when the message is due again.
	at time.Time
}

func (m *subjectMessage) Body() []byte { return m.Data }

func (m *subjectMessage) Try() int { return m.try }

// Done does nothing: the broker does not store the message.
func (*subjectMessage) Done(context.Context) error { return nil }

func (m *subjectMessage) Again(_ context.Context, after time.Duration) error {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	m.of.waiting = append(m.of.waiting, &subjectMessage{Msg: m.Msg, of: m.of, try: m.try + 1, at: time.Now().Add(after)})
	if m.of.wake != nil {
		m.of.wake()
	}
	return nil
}

func (*subjectMessage) Hold() time.Duration { return 0 }

func (*subjectMessage) Extend(context.Context) error { return nil }
