package schedule

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jeton-dev/jeton/internal/functions"
)

const (
	// inFlight is how many messages of one trigger are with the function at
	// once, and tries how often each is delivered: Scaleway's documentation.
	inFlight = 10
	tries    = 3
	// againAfter is the pause before the second delivery; the third comes after
	// twice of it. The real service's pauses are not known.
	againAfter = 2 * time.Second
)

// A consumer has one source of one trigger.
type consumer struct {
	triggers *Triggers
	source   Source
	trigger  functions.Trigger
	log      *slog.Logger
}

// run delivers messages until ctx ends, or the source fails. It returns when
// those that it has fetched are dealt with.
func (c *consumer) run(ctx, calling context.Context) error {
	slots := make(chan struct{}, inFlight)
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	for {
		free := takeAll(ctx, slots)
		if free == 0 {
			return nil
		}
		messages, err := c.source.Fetch(ctx, free)
		taken := messages[:min(free, len(messages))]
		for range free - len(taken) {
			<-slots
		}
		c.giveBack(messages[len(taken):])
		for _, m := range taken {
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

// giveBack returns messages to a source that gave more than it was asked for:
// no slot is free for them.
func (c *consumer) giveBack(messages []Message) {
	if len(messages) == 0 {
		return
	}
	c.log.Warn("the broker gave more messages than it was asked for", "surplus", len(messages))
	// The rest comes again by itself.
	for _, m := range messages[:min(len(messages), inFlight)] {
		c.settle(c.log, func(ctx context.Context) error { return m.Again(ctx, 0) })
	}
}

// takeAll waits for a free slot and takes all that are free; none if ctx ends.
func takeAll(ctx context.Context, slots chan struct{}) int {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for taken := 1; ; taken++ {
		select {
		case slots <- struct{}{}:
		default:
			return taken
		}
	}
}

// deliver calls the function with a message, and settles what becomes of that.
func (c *consumer) deliver(ctx context.Context, m Message) {
	log := c.log.With("try", m.Try())
	if m.Try() > tries {
		// The server has ended within the last try.
		log.Error("a message is given up: it has been delivered as often as may be")
		c.triggers.delivered(c.trigger, GivenUp)
		c.settle(log, m.Done)
		return
	}
	end := c.hold(ctx, log, m)
	status, err := post(ctx, c.triggers.Calls, c.triggers.hosts.of(c.trigger.FunctionID), contentType(m.Body()), m.Body())
	end()
	switch {
	case err == nil && status >= http.StatusOK && status < http.StatusMultipleChoices:
		c.triggers.delivered(c.trigger, Taken)
		c.settle(log, m.Done)
	case ctx.Err() != nil:
		// Cut off by the end of the server: the broker delivers it again.
		c.triggers.delivered(c.trigger, CutOff)
		c.settle(log, func(ctx context.Context) error { return m.Again(ctx, 0) })
	case m.Try() == tries:
		log.Error("a message is given up: the function has not taken it", "status", status, "error", err)
		c.triggers.delivered(c.trigger, GivenUp)
		c.settle(log, m.Done)
	default:
		log.Warn("a message was not taken", "status", status, "error", err)
		c.triggers.delivered(c.trigger, Again)
		after := againAfter << (m.Try() - 1)
		c.settle(log, func(ctx context.Context) error { return m.Again(ctx, after) })
	}
}

const settleTimeout = 10 * time.Second

// settle tells the broker what has become of a message, even while the server
// ends.
func (c *consumer) settle(log *slog.Logger, tell func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := tell(ctx); err != nil {
		log.Warn("the broker does not know what became of a message, and may deliver it again", "error", err)
	}
}

// hold keeps the message with this consumer until end is called.
func (c *consumer) hold(ctx context.Context, log *slog.Logger, m Message) (end func()) {
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
					log.Warn("the broker may deliver a message again while a function has it", "error", err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); extending.Wait() }
}

// contentType says of a message what can be said: sources do not say more.
func contentType(body []byte) string {
	if utf8.Valid(body) {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
