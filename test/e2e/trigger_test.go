package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/nats-io/nats.go"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/jetontest"
)

// counting is a function that counts the deliveries of each message, and returns the
// counts on GET. It fails at the first delivery of a message with "once", and at each
// delivery of one with "always".
const counting = `
import json
seen = {}
def handle(event, context):
    if event["httpMethod"] == "GET":
        return json.dumps(seen)
    message = event["body"]
    seen[message] = seen.get(message, 0) + 1
    if message.endswith("always") or message.endswith("once") and seen[message] == 1:
        return {"statusCode": 500, "body": "not now"}
    return "taken"
`

const messages = 1000

// message returns the text of a message, and how often it must be delivered.
func message(n int) (text string, times int) {
	switch {
	case n%100 == 0:
		return fmt.Sprint(n, " always"), 3
	case n%10 == 0:
		return fmt.Sprint(n, " once"), 2
	}
	return fmt.Sprint(n), 1
}

// consumer is a server with the counting function and a trigger of it.
type consumer struct {
	*world
	f       *function.Function
	trigger *function.Trigger
}

func newConsumer(t *testing.T, brokers string, request function.CreateTriggerRequest) consumer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "brokers.yaml")
	if err := os.WriteFile(file, []byte(brokers), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *server.Config) { c.Brokers, c.QueuesAnywhere = file, true })
	create := python(w.namespace("messages").ID, "f")
	create.MaxScale = pointer(uint32(1))
	f := w.function(create, map[string]string{"handler.py": counting})
	request.FunctionID, request.Name = f.ID, "messages"
	made := must[*function.Trigger](t)(w.CreateTrigger(&request))
	made = must[*function.Trigger](t)(w.WaitForTrigger(&function.WaitForTriggerRequest{TriggerID: made.ID, RetryInterval: often}))
	if made.Status != function.TriggerStatusReady {
		t.Fatalf("got trigger status %s: %v", made.Status, made.ErrorMessage)
	}
	c := consumer{w, f, made}
	await.True(t, "the trigger consumes", func() bool { return strings.Contains(w.Log.String(), "a trigger consumes") })
	return c
}

// counts returns the function's counts.
func (c consumer) counts() map[string]int {
	c.t.Helper()
	var counts map[string]int
	status, body := c.call(c.f, "/", "")
	if err := json.Unmarshal([]byte(body), &counts); err != nil {
		c.t.Fatalf("read the counts: got %d %s, error %v", status, body, err)
	}
	return counts
}

// expectAll waits until every message has been delivered as often as it must be, and
// fails if one was delivered more often.
func (c consumer) expectAll() {
	c.t.Helper()
	var counts map[string]int
	await.True(c.t, "all messages are delivered", func() bool {
		counts = c.counts()
		for n := range messages {
			if text, times := message(n); counts[text] < times {
				return false
			}
		}
		return true
	})
	for n := range messages {
		if text, times := message(n); counts[text] != times {
			c.t.Errorf("message %q: got %d deliveries, want %d", text, counts[text], times)
		}
	}
	if len(counts) != messages {
		c.t.Errorf("got %d messages, want %d", len(counts), messages)
	}
	await.True(c.t, "messages that always fail are dropped", func() bool {
		return strings.Count(c.Log.String(), "a message is dropped") == messages/100
	})
	again := 0
	for n := range messages {
		_, times := message(n)
		again += times - 1
	}
	_, _, metrics := c.send(http.MethodGet, c.OpsURL+"/metrics", nil, nil)
	for _, line := range []string{
		fmt.Sprintf(`jeton_trigger_deliveries_total{result="taken",trigger_id="%s"} %d`, c.trigger.ID, messages-messages/100),
		fmt.Sprintf(`jeton_trigger_deliveries_total{result="again",trigger_id="%s"} %d`, c.trigger.ID, again),
		fmt.Sprintf(`jeton_trigger_deliveries_total{result="given_up",trigger_id="%s"} %d`, c.trigger.ID, messages/100),
		fmt.Sprintf(`jeton_trigger_consuming{trigger_id="%s"} 1`, c.trigger.ID),
	} {
		if !strings.Contains(metrics, line+"\n") {
			c.t.Errorf("the metrics do not contain the line %s", line)
		}
	}
}

// Each trigger delivers a thousand messages, some of which fail.
func TestTrigger_DeliversAllMessages(t *testing.T) {
	t.Parallel()
	t.Run("NATS stream", func(t *testing.T) {
		t.Parallel()
		broker := natsServer(t)
		stream(t, broker, "orders.>")
		c := newConsumer(t, natsBrokers(broker), function.CreateTriggerRequest{ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders.new"}})
		publish(t, broker, "orders.new")
		c.expectAll()
		must[*function.Trigger](t)(c.DeleteTrigger(&function.DeleteTriggerRequest{TriggerID: c.trigger.ID}))
		await.True(t, "the stream has no consumer", func() bool {
			answer, err := broker.Request("$JS.API.CONSUMER.NAMES.jobs", nil, nats.DefaultTimeout)
			return err == nil && !strings.Contains(string(answer.Data), c.trigger.ID)
		})
	})
	t.Run("NATS subject", func(t *testing.T) {
		t.Parallel()
		broker := natsServer(t)
		c := newConsumer(t, natsBrokers(broker), function.CreateTriggerRequest{ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders.*"}})
		publish(t, broker, "orders.new")
		c.expectAll()
	})
	t.Run("SQS", func(t *testing.T) {
		t.Parallel()
		service := newSQSService(t)
		url := service.queue(t, "orders")
		brokers := fmt.Sprintf("sqs:\n- region: fr-par\n  projects: [\"*\"]\n  endpoint: %s\n  access_key: AK\n  secret_key: %s\n", service.endpoint, jetontest.SecretMark)
		c := newConsumer(t, brokers, function.CreateTriggerRequest{ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "orders"}})
		service.sendAll(t, url)
		c.expectAll()
	})
	t.Run("SQS with its own endpoint", func(t *testing.T) {
		t.Parallel()
		service := newSQSService(t)
		url := service.queue(t, "orders")
		c := newConsumer(t, "", function.CreateTriggerRequest{SqsConfig: &function.CreateTriggerRequestSqsClientConfig{
			Endpoint: service.endpoint, QueueURL: url, AccessKey: "AK", SecretKey: jetontest.SecretMark,
		}})
		service.sendAll(t, url)
		c.expectAll()
	})
}

func natsBrokers(broker *nats.Conn) string {
	return fmt.Sprintf("nats:\n- projects: [\"*\"]\n  url: %s\n", broker.ConnectedUrl())
}

func publish(t *testing.T, broker *nats.Conn, subject string) {
	t.Helper()
	for n := range messages {
		text, _ := message(n)
		if err := broker.Publish(subject, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := broker.Flush(); err != nil {
		t.Fatal(err)
	}
}

func (s sqsService) sendAll(t *testing.T, url string) {
	t.Helper()
	for n := range messages {
		text, _ := message(n)
		if err := s.send(t.Context(), url, text); err != nil {
			t.Fatal(err)
		}
	}
}

// The server is stopped during the delivery. No message is lost, and none is delivered
// more often than allowed.
func TestTrigger_SurvivesRestart(t *testing.T) {
	t.Parallel()
	broker := natsServer(t)
	stream(t, broker, "orders")
	c := newConsumer(t, natsBrokers(broker), function.CreateTriggerRequest{ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders"}})
	publish(t, broker, "orders")
	first := map[string]int{}
	await.True(t, "some messages are delivered", func() bool { first = c.counts(); return len(first) > 50 })
	c.Stop()
	// Deliveries between the last count and the stop are only in the log of calls,
	// because the instance with the counts has ended.
	c.restart()
	await.True(t, "the rest is delivered", func() bool {
		_, last := c.counts()["999"]
		return last && strings.Count(c.Log.String(), "a message is dropped") == messages/100
	})
	delivered := strings.Count(c.Log.String(), `msg=call `) - strings.Count(c.Log.String(), "method=GET status=200")
	want := 0
	for n := range messages {
		_, times := message(n)
		want += times
	}
	// Messages with "once" that failed in the first instance fail again in the second
	// one, which starts to count at zero.
	if delivered < want || delivered > want+messages/10 {
		t.Errorf("got %d deliveries, want %d or few more", delivered, want)
	}
}

func TestTrigger_WithoutBroker(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "brokers.yaml")
	if err := os.WriteFile(file, []byte("nats:\n- account: 11111111-1111-4111-8111-111111111111\n  project: \"*\"\n  url: nats://127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *server.Config) { c.Brokers = file })
	f := w.bareFunction("f")
	made := must[*function.Trigger](t)(w.CreateTrigger(&function.CreateTriggerRequest{
		Name: "t", FunctionID: f.ID, ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders"},
	}))
	made = must[*function.Trigger](t)(w.WaitForTrigger(&function.WaitForTriggerRequest{TriggerID: made.ID, RetryInterval: often}))
	if made.Status != function.TriggerStatusError || made.ErrorMessage == nil || !strings.Contains(*made.ErrorMessage, "add one to the file of --brokers") {
		t.Errorf("got trigger %+v", made)
	}
	// A queue URL of a client cannot refer to this machine.
	reached := make(chan struct{}, 1)
	local := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	t.Cleanup(local.Close)
	must[*function.Trigger](t)(w.CreateTrigger(&function.CreateTriggerRequest{
		Name: "l", FunctionID: f.ID, Description: scw.StringPtr("local"), SqsConfig: &function.CreateTriggerRequestSqsClientConfig{
			Endpoint: local.URL, QueueURL: local.URL + "/1/q", AccessKey: "AK", SecretKey: "SK",
		},
	}))
	await.True(t, "the server logs the cause", func() bool {
		return strings.Contains(w.Log.String(), "127.0.0.1 is not a public address")
	})
	if len(reached) > 0 {
		t.Error("the server connected to the queue on this machine")
	}
}
