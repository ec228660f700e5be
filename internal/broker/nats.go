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
	// held is for how long a message is left to whoever fetched it.
	held = time.Minute
)

// durableName names what a broker keeps for a trigger.
func durableName(t functions.Trigger) string { return "jeton-" + t.ID }

func connectNATS(server NATSServer) (*nats.Conn, error) {
	options := []nats.Option{nats.Name("jeton"), nats.Timeout(connectTimeout), nats.MaxReconnects(-1)}
	if server.Credentials != "" {
		options = append(options, nats.UserCredentials(server.Credentials))
	}
	connection, err := nats.Connect(server.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	return connection, nil
}

// openNATS listens to a subject: as a durable consumer of the stream that keeps
// its messages, from which none is lost, or directly where there is no stream.
// Several servers that listen for one trigger share the messages.
func openNATS(ctx context.Context, server NATSServer, t functions.Trigger) (schedule.Source, error) {
	connection, err := connectNATS(server)
	if err != nil {
		return nil, err
	}
	source, err := subscribe(ctx, connection, t)
	if err != nil {
		connection.Close()
		return nil, fmt.Errorf("NATS subject %q: %w", t.NATS.Subject, err)
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
		// What was there before the trigger is not for it.
		DeliverPolicy: jetstream.DeliverNewPolicy, AckPolicy: jetstream.AckExplicitPolicy, AckWait: held,
	})
	return &streamSource{connection: connection, consumer: consumer}, err
}

// forgetNATS deletes the consumer of a stream that was made for a trigger.
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
		return nil //nolint:nilerr // Where there is no stream, nothing is kept.
	}
	err = js.DeleteConsumer(ctx, stream, durableName(t))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

// streamSource is the consumer of a stream.
type streamSource struct {
	connection *nats.Conn
	consumer   jetstream.Consumer
}

// Fetch implements schedule.Source.
func (s *streamSource) Fetch(ctx context.Context, most int) ([]schedule.Message, error) {
	waiting, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	// One at first: the server answers a request for several when it has all
	// of them, or when time is up.
	batch, err := s.consumer.Fetch(1, jetstream.FetchContext(waiting))
	if err != nil {
		return nil, unlessEnded(waiting, err)
	}
	found := messagesOf(batch)
	if err := batch.Error(); len(found) == 0 {
		return nil, unlessEnded(waiting, err)
	}
	if most == 1 {
		return found, nil
	}
	batch, err = s.consumer.FetchNoWait(most - 1)
	if err != nil {
		// What was found is delivered; the next fetch meets the error again.
		return found, nil //nolint:nilerr // As said.
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

// unlessEnded passes over the error of a wait that has come to its end.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil && !errors.Is(err, nats.ErrTimeout) {
		return err
	}
	return nil
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

func (m streamMessage) Hold() time.Duration { return held }

func (m streamMessage) Extend(context.Context) error { return m.InProgress() }
