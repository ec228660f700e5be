package live

import (
	"errors"
	"sync"
)

// ErrTooManyStreams is returned if a key, or all keys together, have too many open streams.
var ErrTooManyStreams = errors.New("too many open streams: close other tabs of the console, or wait")

// maxPending is the maximum number of events that wait for a subscriber. With more, the
// subscriber must load everything again.
const maxPending = 512

// A hub passes events to subscribers. A slow subscriber delays nobody.
type hub struct {
	mu          sync.Mutex
	subscribers map[*Subscription]bool
	// open is the number of streams, and byKey that of each API key.
	most, perKey, open int
	byKey              map[string]int
}

func newHub(most, perKey int) hub {
	return hub{subscribers: map[*Subscription]bool{}, most: most, perKey: perKey, byKey: map[string]int{}}
}

// A Subscription receives the events of a View. Its memory is bounded: several changes of
// an object become one event.
type Subscription struct {
	hub    *hub
	wanted func(Event) bool
	notify chan struct{}

	mu      sync.Mutex
	pending map[string]Event
	order   []string
	reset   bool
	sampled bool
}

// A Batch is what has happened since the previous call of Take.
type Batch struct {
	// Events are in the order of their first occurrence.
	Events []Event
	// Reset means that events were lost: everything must be loaded again.
	Reset bool
	// Sampled means that the metrics have a new sample.
	Sampled bool
}

// OpenStream counts one stream of an API key, until release is called. Returns
// ErrTooManyStreams.
func (v *View) OpenStream(key string) (release func(), err error) {
	h := &v.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open >= h.most || h.byKey[key] >= h.perKey {
		return nil, ErrTooManyStreams
	}
	h.open++
	h.byKey[key]++
	return sync.OnceFunc(func() { h.release(key) }), nil
}

func (h *hub) release(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
	if h.byKey[key]--; h.byKey[key] == 0 {
		delete(h.byKey, key)
	}
}

// Streams returns the number of open streams.
func (v *View) Streams() int {
	v.hub.mu.Lock()
	defer v.hub.mu.Unlock()
	return v.hub.open
}

// Subscribe returns a subscription for the events that wanted returns true for, which must
// be quick. The caller must close the subscription.
func (v *View) Subscribe(wanted func(Event) bool) *Subscription {
	s := &Subscription{hub: &v.hub, wanted: wanted, notify: make(chan struct{}, 1), pending: map[string]Event{}}
	v.hub.mu.Lock()
	defer v.hub.mu.Unlock()
	v.hub.subscribers[s] = true
	return s
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subscribers, s)
}

// Ready receives a value when Take has something to return, and when the permissions of
// the subscriber may have changed.
func (s *Subscription) Ready() <-chan struct{} { return s.notify }

// Take returns and removes everything that waits.
func (s *Subscription) Take() Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := Batch{Reset: s.reset, Sampled: s.sampled}
	for _, id := range s.order {
		batch.Events = append(batch.Events, s.pending[id])
	}
	clear(s.pending)
	s.order, s.reset, s.sampled = s.order[:0], false, false
	return batch
}

// Sampled notifies subscribers of a new sample of the metrics.
func (v *View) Sampled() {
	v.hub.each(func(s *Subscription) { s.sampled = true })
}

func (h *hub) publish(e Event) {
	if e.Kind == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		if s.wanted(e) {
			s.update(func(s *Subscription) { s.add(e) })
		}
	}
}

func (h *hub) resetAll() {
	h.each(func(s *Subscription) { s.lose() })
}

func (h *hub) wakeAll() { h.each(func(*Subscription) {}) }

func (h *hub) each(change func(*Subscription)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		s.update(change)
	}
}

// update changes a subscription and notifies its reader.
func (s *Subscription) update(change func(*Subscription)) {
	s.mu.Lock()
	change(s)
	s.mu.Unlock()
	select {
	case s.notify <- struct{}{}:
	default: // The reader has not seen the previous notification.
	}
}

func (s *Subscription) add(e Event) {
	if s.reset {
		return
	}
	id := e.Kind + " " + e.ID
	if _, waits := s.pending[id]; !waits {
		if len(s.order) >= maxPending {
			s.lose()
			return
		}
		s.order = append(s.order, id)
	}
	s.pending[id] = e
}

func (s *Subscription) lose() {
	s.reset = true
	clear(s.pending)
	s.order = s.order[:0]
}
