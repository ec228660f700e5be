package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// ErrNoBroker is returned for a trigger whose broker is not in the configuration.
var ErrNoBroker = errors.New("no broker is configured for the trigger")

// Brokers connects to the brokers of triggers. Its methods are called concurrently.
type Brokers interface {
	// Open connects to the source of a trigger's messages. Returns ErrNoBroker, or an
	// error that says what the operator can do. No error contains a secret.
	Open(ctx context.Context, t functions.Trigger) (Source, error)
	// Forget deletes what the broker stores for a trigger that was deleted.
	Forget(ctx context.Context, t functions.Trigger) error
}

// A Source returns the messages of a trigger.
type Source interface {
	// Fetch waits for messages and returns at most limit of them; none after a
	// longer wait. It is not called concurrently.
	Fetch(ctx context.Context, limit int) ([]Message, error)
	// Close ends the connection. No message of the source may be used afterwards.
	Close()
}

// Watched is implemented by sources that connect again by themselves.
type Watched interface {
	// Watch makes the source call changed when its connection breaks and when it has
	// connected again, until Close.
	Watch(changed func(connected bool))
}

// A Message is a message that was fetched. A broker that stores messages delivers it
// again after Hold, unless Done or Again is called before.
type Message interface {
	Body() []byte
	// Try returns the number of deliveries of the message, including this one.
	Try() int
	// Done deletes the message at the broker.
	Done(ctx context.Context) error
	// Again makes the broker deliver the message once more, after a while.
	Again(ctx context.Context, after time.Duration) error
	// Hold returns how long the broker waits for Done or Again; zero means for ever.
	Hold() time.Duration
	// Extend makes the broker wait for Hold again, from now on.
	Extend(ctx context.Context) error
}
