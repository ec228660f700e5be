package e2e_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsServer starts a NATS server with JetStream and returns a connection.
func natsServer(t *testing.T) *nats.Conn {
	t.Helper()
	s := must[*server.Server](t)(server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true,
	}))
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	connection := must[*nats.Conn](t)(nats.Connect(s.ClientURL()))
	t.Cleanup(connection.Close)
	return connection
}

// stream creates a stream of the messages of a subject.
func stream(t *testing.T, connection *nats.Conn, subject string) {
	t.Helper()
	js := must[jetstream.JetStream](t)(jetstream.New(connection))
	must[jetstream.Stream](t)(js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "jobs", Subjects: []string{subject}}))
}

// sqsService is a client of a third-party SQS service.
type sqsService struct {
	*sqs.Client
	endpoint string
}

// listening matches the address that fauxqs prints.
var listening = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// newSQSService starts fauxqs, an npm package. `make test` installs it.
func newSQSService(t *testing.T) sqsService {
	t.Helper()
	program := npmModule(t, "fauxqs/dist/cli.js")
	command := exec.CommandContext(t.Context(), "node", program)
	command.Env = append(os.Environ(), "FAUXQS_PORT=0", "FAUXQS_HOST=127.0.0.1")
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	endpoint := ""
	said := bufio.NewScanner(output)
	for endpoint == "" && said.Scan() {
		endpoint = listening.FindString(said.Text())
	}
	if endpoint == "" {
		t.Fatal("fauxqs does not print its address")
	}
	go func() {
		for said.Scan() {
		}
	}()
	return sqsService{endpoint: endpoint, Client: sqs.New(sqs.Options{
		BaseEndpoint: &endpoint, Region: "fr-par", Credentials: credentials.NewStaticCredentialsProvider("AK", "SK", ""),
	})}
}

// queue creates a queue and returns its URL.
func (s sqsService) queue(t *testing.T, name string) string {
	t.Helper()
	made := must[*sqs.CreateQueueOutput](t)(s.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}))
	return aws.ToString(made.QueueUrl)
}

func (s sqsService) send(ctx context.Context, url, body string) error {
	_, err := s.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	return err
}
