package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

// Opener opens sealed values.
type Opener interface {
	Open(sealed []byte, purpose string) ([]byte, error)
}

// BrokersConfig has the dependencies of Brokers. Opener is required.
type BrokersConfig struct {
	// Config has the brokers of Messaging and Queuing; the zero value has none.
	Config Config
	Opener Opener
	// Anywhere permits queues of API callers on this machine and in private networks.
	Anywhere bool
}

// Brokers implements schedule.Brokers. It is safe for concurrent use.
type Brokers struct {
	config   Config
	opener   Opener
	anywhere bool
}

// New returns Brokers. It opens no connections. Returns an error if a required field is
// missing.
func New(c BrokersConfig) (*Brokers, error) {
	if c.Opener == nil {
		return nil, errors.New("configure brokers: Opener is required")
	}
	return &Brokers{config: c.Config, opener: c.Opener, anywhere: c.Anywhere}, nil
}

var _ schedule.Brokers = (*Brokers)(nil)

// errForeignSource is returned for a trigger that an earlier version created without a
// check of its project.
var errForeignSource = fmt.Errorf("%w: its queue or subject belongs to a project that it may not use: create the trigger again with an API key of that project", schedule.ErrNoBroker)

// Check returns an error if the configuration shows that a trigger's messages cannot
// be consumed. It makes no requests. Without any configured broker, triggers have no
// effect and no errors.
func (b *Brokers) Check(t functions.Trigger) error {
	if !t.OwnsSource() {
		return errForeignSource
	}
	var err error
	if len(b.config.NATS) == 0 && len(b.config.SQS) == 0 {
		return nil
	}
	switch {
	case t.NATS != nil:
		_, err = b.config.nats(*t.NATS)
	case t.SQS != nil:
		_, err = b.config.sqs(*t.SQS)
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
		server, err := b.config.nats(*t.NATS)
		if err != nil {
			return nil, err
		}
		return openNATS(ctx, server, t)
	case t.SQS != nil:
		service, err := b.config.sqs(*t.SQS)
		if err != nil {
			return nil, err
		}
		return openQueue(ctx, service, t.SQS.Queue)
	default:
		key, err := b.opener.Open(t.ExternalSQS.Sealed, functions.TriggerKeyPurpose(t.ID))
		if err != nil {
			return nil, fmt.Errorf("open secret key of the queue: %w", err)
		}
		return openExternal(*t.ExternalSQS, string(key), b.anywhere), nil
	}
}

// Forget implements schedule.Brokers.
func (b *Brokers) Forget(ctx context.Context, t functions.Trigger) error {
	if t.NATS == nil {
		return nil
	}
	server, err := b.config.nats(*t.NATS)
	if err != nil {
		return nil //nolint:nilerr // No broker is configured that could store something.
	}
	return forgetNATS(ctx, server, t)
}
