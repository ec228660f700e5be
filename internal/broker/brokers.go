package broker

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

// Opener opens what was sealed for keeping.
type Opener interface {
	Open(sealed []byte, purpose string) ([]byte, error)
}

// Brokers implements schedule.Brokers. Opener must be set.
type Brokers struct {
	Config Config
	Opener Opener
	// Anywhere lets the queues that callers of the API name be on this machine
	// and in its private networks, too.
	Anywhere bool
}

var _ schedule.Brokers = (*Brokers)(nil)

// errForeignSource refuses a trigger that was made when the project of its source
// was not checked.
var errForeignSource = fmt.Errorf("%w: its queue or subject belongs to a project that it may not use: make the trigger again with an API key of that project", schedule.ErrNoBroker)

// Check tells why a trigger's messages cannot be had, as far as that can be said
// without asking anybody. Where no broker is configured at all, triggers are
// objects that do nothing, and nothing is wrong with any.
func (b *Brokers) Check(t functions.Trigger) error {
	if !t.OwnsSource() {
		return errForeignSource
	}
	var err error
	if len(b.Config.NATS) == 0 && len(b.Config.SQS) == 0 {
		return nil
	}
	switch {
	case t.NATS != nil:
		_, err = b.Config.nats(*t.NATS)
	case t.SQS != nil:
		_, err = b.Config.sqs(*t.SQS)
	}
	return err
}

// Open implements schedule.Brokers.
func (b *Brokers) Open(ctx context.Context, t functions.Trigger) (schedule.Source, error) {
	if !t.OwnsSource() {
		return nil, errForeignSource
	}
	switch {
	case t.NATS != nil:
		server, err := b.Config.nats(*t.NATS)
		if err != nil {
			return nil, err
		}
		return openNATS(ctx, server, t)
	case t.SQS != nil:
		service, err := b.Config.sqs(*t.SQS)
		if err != nil {
			return nil, err
		}
		return openQueue(ctx, service, t.SQS.Queue)
	default:
		key, err := b.Opener.Open(t.ExternalSQS.Sealed, functions.TriggerKeyPurpose(t.ID))
		if err != nil {
			return nil, fmt.Errorf("secret key of the queue: %w", err)
		}
		return openExternal(*t.ExternalSQS, string(key), b.Anywhere), nil
	}
}

// Forget implements schedule.Brokers.
func (b *Brokers) Forget(ctx context.Context, t functions.Trigger) error {
	if t.NATS == nil {
		return nil
	}
	server, err := b.Config.nats(*t.NATS)
	if err != nil {
		return nil //nolint:nilerr // There never was one that could have kept anything.
	}
	return forgetNATS(ctx, server, t)
}
