package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// ErrNoBroker is returned where the operator has named no broker that a trigger
// could mean.
var ErrNoBroker = errors.New("no broker is configured for the trigger")

// Brokers open the sources of triggers.
type Brokers interface {
	// Open returns the source of a trigger's messages, or ErrNoBroker. The error
	// says what the operator can do, and holds nothing secret.
	Open(ctx context.Context, t functions.Trigger) (Source, error)
	// Forget has the broker forget a trigger that was deleted, where it kept
	// something for it.
	Forget(ctx context.Context, t functions.Trigger) error
}

// A Source gives a trigger's messages.
type Source interface {
	// Fetch waits until there are messages, and returns some, at most as many
	// as are asked for; none if it has waited for long. One goroutine at a
	// time fetches.
	Fetch(ctx context.Context, most int) ([]Message, error)
	// Close ends the connection. No message may be dealt with after it.
	Close()
}

// A Message is one of a source, until Done or Again. What is neither comes
// again, after Hold, from a broker that keeps messages.
type Message interface {
	Body() []byte
	// Try counts how often the message has been delivered, this time included.
	Try() int
	// Done has the broker forget the message.
	Done(ctx context.Context) error
	// Again has the broker deliver the message once more, after a while.
	Again(ctx context.Context, after time.Duration) error
	// Hold is for how long the message is left to whoever fetched it; zero for
	// ever. Extend begins that time anew.
	Hold() time.Duration
	Extend(ctx context.Context) error
}
