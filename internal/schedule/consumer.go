package schedule

import (
	"context"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jeton-dev/jeton/internal/functions"
)

const (
	// maxDeliveries is the number of messages of one trigger that are delivered
	// concurrently, and maxTries how often each is delivered. Source: Scaleway's
	// documentation.
	maxDeliveries = 10
	maxTries      = 3
	// maxCutOffs is how many deliveries more a message gets because servers stopped or
	// functions moved to other nodes during deliveries. It ends the deliveries of a
	// message that makes servers fail.
	maxCutOffs = 7
	// retryDelay is the delay before the second delivery; the third comes after
	// twice as long. The delays of the real service are not known.
	retryDelay = 2 * time.Second
	// settleTimeout is the time in which a broker must acknowledge the result of a
	// delivery.
	settleTimeout = 10 * time.Second
)

// A consumer delivers the messages of one source of a trigger.
type consumer struct {
	triggers *Triggers
	source   Source
	trigger  functions.Trigger
	log      *slog.Logger
}

// run delivers messages until ctx ends or the source fails, and returns when the
// deliveries in progress have ended. Their calls end with calling.
func (c *consumer) run(ctx, calling context.Context) error {
	slots := make(chan struct{}, maxDeliveries)
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	for {
		free := acquireAll(ctx, slots)
		if free == 0 || !c.owned() {
			return nil
		}
		messages, err := c.source.Fetch(ctx, free)
		fetched := messages[:min(free, len(messages))]
		if surplus := len(messages) - len(fetched); surplus > 0 {
			c.log.Warn("the broker returned more messages than were requested", "surplus", surplus)
			c.giveBack(messages[len(fetched):])
		}
		if !c.owned() {
			// The lease ended during the fetch.
			c.giveBack(fetched)
			return nil
		}
		for range free - len(fetched) {
			<-slots
		}
		for _, m := range fetched {
			deliveries.Go(func() {
				defer func() { <-slots }()
				c.deliver(calling, m)
			})
		}
		if err != nil {
			return err
		}
	}
}

// owned reports whether this node delivers the messages of the trigger.
func (c *consumer) owned() bool { return c.triggers.config.Owns(c.trigger.FunctionID) }

// giveBack returns messages to their source that this node does not deliver.
func (c *consumer) giveBack(messages []Message) {
	// The broker delivers the others again by itself.
	for _, m := range messages[:min(len(messages), maxDeliveries)] {
		c.settle(c.log, func(ctx context.Context) error { return m.Again(ctx, 0) })
	}
}

// acquireAll waits for a free slot, takes all free ones, and returns their number. It
// returns 0 if ctx ends.
func acquireAll(ctx context.Context, slots chan struct{}) int {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for acquired := 1; ; acquired++ {
		select {
		case slots <- struct{}{}:
		default:
			return acquired
		}
	}
}

// deliver calls the function with a message, and settles the message at the broker.
func (c *consumer) deliver(ctx context.Context, m Message) {
	log := c.log.With("try", m.Try())
	if m.Try() > maxTries+maxCutOffs {
		// Servers were killed during the tries.
		log.Error("a message is dropped after its last delivery")
		c.triggers.config.Observer.Delivered(c.trigger, GivenUp)
		c.settle(log, m.Done)
		return
	}
	end := c.extend(ctx, log, m)
	status, err := post(ctx, c.triggers.config.Calls, c.triggers.hosts.of(c.trigger.FunctionID), contentType(m.Body()), m.Body())
	end()
	switch {
	case err == nil && isSuccess(status):
		c.triggers.config.Observer.Delivered(c.trigger, Taken)
		c.settle(log, m.Done)
	case ctx.Err() != nil, !c.owned():
		// The server stops, or another node delivers the message. The call may have failed
		// because of that, so it does not count.
		c.triggers.config.Observer.Delivered(c.trigger, CutOff)
		c.settle(log, func(ctx context.Context) error { return m.Again(ctx, 0) })
	case m.Try() >= maxTries:
		log.Error("a message is dropped: the function failed at the last delivery", "status", status, "error", err)
		c.triggers.config.Observer.Delivered(c.trigger, GivenUp)
		c.settle(log, m.Done)
	default:
		delay := retryDelay << (m.Try() - 1)
		log.Warn("the function failed for a message, which will be delivered again", "status", status, "error", err, "retry_in", delay)
		c.triggers.config.Observer.Delivered(c.trigger, Again)
		c.settle(log, func(ctx context.Context) error { return m.Again(ctx, delay) })
	}
}

// settle reports the result of a delivery to the broker, also while the server stops.
func (c *consumer) settle(log *slog.Logger, report func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := report(ctx); err != nil {
		log.Warn("the result of a delivery could not be reported to the broker, which may deliver the message again", "error", err)
	}
}

// extend prevents the broker from delivering the message again until end is called.
func (c *consumer) extend(ctx context.Context, log *slog.Logger, m Message) (end func()) {
	if m.Hold() <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var extending sync.WaitGroup
	extending.Go(func() {
		tick := time.NewTicker(m.Hold() / 3)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := m.Extend(ctx); err != nil && ctx.Err() == nil {
					log.Warn("the broker may deliver a message again while the function handles it", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); extending.Wait() }
}

// contentType returns the media type of a message. Sources do not provide it.
func contentType(body []byte) string {
	if utf8.Valid(body) {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
