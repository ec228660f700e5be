package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

const (
	connectTimeout = 5 * time.Second
	// fetchWait is how long a fetch waits for a message.
	fetchWait = 20 * time.Second
	// hold is how long the broker waits for the result of a delivery.
	hold = time.Minute
)

// durableName returns the name of the durable consumer and queue group of a trigger.
func durableName(t functions.Trigger) string { return "jeton-" + t.ID }

func connectNATS(server NATSServer) (*nats.Conn, error) {
	options := []nats.Option{nats.Name("jeton"), nats.Timeout(connectTimeout), nats.MaxReconnects(-1)}
	if server.Credentials != "" {
		options = append(options, nats.UserCredentials(server.Credentials))
	}
	connection, err := nats.Connect(server.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return connection, nil
}

// openNATS subscribes to a subject. If a stream stores its messages, a durable consumer
// loses none; otherwise it is a plain subscription. Several servers that subscribe for
// one trigger share the messages.
func openNATS(ctx context.Context, server NATSServer, t functions.Trigger) (schedule.Source, error) {
	connection, err := connectNATS(server)
	if err != nil {
		return nil, err
	}
	source, err := subscribe(ctx, connection, t)
	if err != nil {
		connection.Close()
		return nil, fmt.Errorf("subscribe to NATS subject %q: %w", t.NATS.Subject, err)
	}
	return source, nil
}

func subscribe(ctx context.Context, connection *nats.Conn, t functions.Trigger) (schedule.Source, error) {
	js, err := jetstream.New(connection)
	if err != nil {
		return nil, err
	}
	stream, err := js.StreamNameBySubject(ctx, t.NATS.Subject)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders):
		subscription, err := connection.QueueSubscribeSync(t.NATS.Subject, durableName(t))
		if err == nil {
			err = errors.Join(subscription.SetPendingLimits(pendingMessages, pendingBytes), connection.FlushTimeout(connectTimeout))
		}
		return &subject{connection: connection, subscription: subscription}, err
	case err != nil:
		return nil, err
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable: durableName(t), FilterSubject: t.NATS.Subject,
		// A trigger gets no messages from before its creation.
		DeliverPolicy: jetstream.DeliverNewPolicy, AckPolicy: jetstream.AckExplicitPolicy, AckWait: hold,
	})
	return &streamSource{connection: connection, consumer: consumer}, err
}

// forgetNATS deletes the durable consumer of a trigger.
func forgetNATS(ctx context.Context, server NATSServer, t functions.Trigger) error {
	connection, err := connectNATS(server)
	if err != nil {
		return err
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	stream, err := js.StreamNameBySubject(ctx, t.NATS.Subject)
	if err != nil {
		return nil //nolint:nilerr // Without a stream there is no durable consumer.
	}
	err = js.DeleteConsumer(ctx, stream, durableName(t))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

// streamSource is a source with the messages of a stream.
type streamSource struct {
	connection *nats.Conn
	consumer   jetstream.Consumer
}

// Fetch implements schedule.Source.
func (s *streamSource) Fetch(ctx context.Context, limit int) ([]schedule.Message, error) {
	waiting, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	// The first fetch is for one message, because the server answers a fetch of several
	// only when it has all of them or the time is over.
	batch, err := s.consumer.Fetch(1, jetstream.FetchContext(waiting))
	if err != nil {
		return nil, unlessEnded(waiting, err)
	}
	found := messagesOf(batch)
	if err := batch.Error(); len(found) == 0 {
		return nil, unlessEnded(waiting, err)
	}
	if limit == 1 {
		return found, nil
	}
	batch, err = s.consumer.FetchNoWait(limit - 1)
	if err != nil {
		return found, nil //nolint:nilerr // The next fetch returns the error.
	}
	return append(found, messagesOf(batch)...), nil
}

func messagesOf(batch jetstream.MessageBatch) []schedule.Message {
	var found []schedule.Message
	for m := range batch.Messages() {
		found = append(found, streamMessage{m})
	}
	return found
}

// unlessEnded returns the error of a wait, or nil if the time for it is over.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil && !errors.Is(err, nats.ErrTimeout) {
		return err
	}
	return nil
}

// Watch implements schedule.Watched.
func (s *streamSource) Watch(changed func(connected bool)) { watch(s.connection, changed) }

// watch calls changed when a connection breaks, and when the client library has connected again.
func watch(connection *nats.Conn, changed func(connected bool)) {
	connection.SetDisconnectErrHandler(func(*nats.Conn, error) { changed(false) })
	connection.SetReconnectHandler(func(*nats.Conn) { changed(true) })
}

// Close implements schedule.Source.
func (s *streamSource) Close() { s.connection.Close() }

type streamMessage struct{ jetstream.Msg }

func (m streamMessage) Body() []byte { return m.Data() }

func (m streamMessage) Try() int {
	metadata, err := m.Metadata()
	if err != nil {
		return 1
	}
	return int(metadata.NumDelivered)
}

func (m streamMessage) Done(ctx context.Context) error { return m.DoubleAck(ctx) }

func (m streamMessage) Again(_ context.Context, after time.Duration) error {
	return m.NakWithDelay(after)
}

func (m streamMessage) Hold() time.Duration { return hold }

func (m streamMessage) Extend(context.Context) error { return m.InProgress() }
