package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/test/await"
)

// stoppableNATS starts a NATS server on a port; zero selects one.
func stoppableNATS(t *testing.T, port int) *server.Server {
	t.Helper()
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s := must[*server.Server](t)(server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true}))
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(await.Patience) {
		t.Fatal("the NATS server does not start")
	}
	return s
}

func natsPort(t *testing.T, s *server.Server) (port int) {
	t.Helper()
	url := s.ClientURL()
	if _, err := fmt.Sscan(url[strings.LastIndexByte(url, ':')+1:], &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// A message that the function refuses is delivered again after 2 and 4 s. Without a wake-up of the
// wait for messages, that would be 20 s each.
func TestTrigger_DeliversAgainSoon(t *testing.T) {
	t.Parallel()
	broker := must[*nats.Conn](t)(nats.Connect(stoppableNATS(t, 0).ClientURL()))
	t.Cleanup(broker.Close)
	c := newConsumer(t, natsBrokers(broker), function.CreateTriggerRequest{ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders"}})
	began := time.Now()
	if err := broker.Publish("orders", []byte("1 always")); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the message is dropped", func() bool { return strings.Contains(c.Log.String(), "a message is dropped") })
	if took := time.Since(began); took < 6*time.Second || took > 18*time.Second {
		t.Errorf("three deliveries: got %s, want 6 s and little more", took)
	}
}

func TestTrigger_ReportsLostBroker(t *testing.T) {
	t.Parallel()
	first := stoppableNATS(t, 0)
	port := natsPort(t, first)
	brokers := fmt.Sprintf("nats:\n- projects: [\"*\"]\n  url: %s\n", first.ClientURL())
	c := newConsumer(t, brokers, function.CreateTriggerRequest{ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders"}})
	consuming := func(value int) func() bool {
		return func() bool {
			_, _, metrics := c.send(http.MethodGet, c.OpsURL+"/metrics", nil, nil)
			return strings.Contains(metrics, fmt.Sprintf("jeton_trigger_consuming{trigger_id=%q} %d\n", c.trigger.ID, value))
		}
	}
	await.True(t, "the trigger is connected", consuming(1))
	first.Shutdown()
	first.WaitForShutdown()
	await.True(t, "the trigger is not connected", consuming(0))
	second := stoppableNATS(t, port)
	await.True(t, "the trigger is connected again", consuming(1))
	broker := must[*nats.Conn](t)(nats.Connect(second.ClientURL()))
	t.Cleanup(broker.Close)
	if err := broker.Publish("orders", []byte("1")); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the message is delivered", func() bool { return c.counts()["1"] == 1 })
}
