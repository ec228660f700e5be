package broker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

const (
	// maxMessages is the maximum number of messages in a response of SQS.
	maxMessages = 10
	// answerTimeout is the maximum time of a request including its response.
	answerTimeout = 3 * fetchWait
)

// openQueue opens a queue by its name.
func openQueue(ctx context.Context, service SQSService, name string) (schedule.Source, error) {
	client := newSQS(service.Endpoint, service.Region, service.AccessKey, service.SecretKey.Reveal(), nil)
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, fmt.Errorf("open SQS queue %q: %w", name, err)
	}
	if aws.ToString(found.QueueUrl) == "" {
		return nil, fmt.Errorf("open SQS queue %q: the service returned no URL", name)
	}
	return &queue{client: client, url: *found.QueueUrl}, nil
}

// openExternal opens a queue at a URL that an API caller chose.
func openExternal(q functions.ExternalSQSQueue, secretKey string, anywhere bool) schedule.Source {
	var dial func(context.Context, string, string) (net.Conn, error)
	if !anywhere {
		dial = (&net.Dialer{Control: publicOnly}).DialContext
	}
	return &queue{client: newSQS(q.Endpoint, "", q.AccessKey, secretKey, dial), url: q.QueueURL}
}

func newSQS(endpoint, region, accessKey, secretKey string, dial func(context.Context, string, string) (net.Conn, error)) *sqs.Client {
	transport := &http.Transport{
		DialContext: dial, MaxIdleConnsPerHost: maxMessages,
		TLSHandshakeTimeout: connectTimeout, ResponseHeaderTimeout: 2 * fetchWait, MaxResponseHeaderBytes: maxAnswerHeader,
	}
	if dial == nil {
		transport.Proxy = http.ProxyFromEnvironment
	}
	if region == "" {
		region = "fr-par" // The region is only a part of the signature.
	}
	return sqs.New(sqs.Options{
		BaseEndpoint: &endpoint, Region: region, HTTPClient: &http.Client{Transport: boundedTransport{transport}, Timeout: answerTimeout},
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")),
	})
}

// publicOnly is a net.Dialer.Control function that refuses connections to this machine
// and to private networks, which API callers must not reach through the server.
func publicOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := to.Addr().Unmap()
	if !public(ip) || own(ip) {
		return fmt.Errorf("%s is not a public address: allow queues there with --queues-anywhere", ip)
	}
	return nil
}

// own reports whether an address is one of this machine. If the addresses cannot be
// listed, it returns true.
func own(ip netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip
	})
}

// queue is a source with the messages of an SQS queue.
type queue struct {
	client *sqs.Client
	url    string
}

// Fetch implements schedule.Source.
func (q *queue) Fetch(ctx context.Context, limit int) ([]schedule.Message, error) {
	answer, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(min(limit, maxMessages)),
		WaitTimeSeconds: int32(fetchWait.Seconds()), VisibilityTimeout: int32(hold.Seconds()),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("receive from SQS: %w", err)
	}
	if answer == nil {
		return nil, nil
	}
	if count := len(answer.Messages); count > maxMessages {
		return nil, fmt.Errorf("receive from SQS: got %d messages, want at most %d", count, limit)
	}
	found := make([]schedule.Message, len(answer.Messages))
	for i, m := range answer.Messages {
		found[i] = queueMessage{queue: q, message: m}
	}
	return found, nil
}

// Close implements schedule.Source.
func (*queue) Close() {}

type queueMessage struct {
	*queue
	message types.Message
}

func (m queueMessage) Body() []byte { return []byte(aws.ToString(m.message.Body)) }

func (m queueMessage) Try() int {
	count, err := strconv.Atoi(m.message.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil {
		return 1
	}
	return count
}

func (m queueMessage) Done(ctx context.Context) error {
	_, err := m.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &m.url, ReceiptHandle: m.message.ReceiptHandle})
	return err
}

func (m queueMessage) Again(ctx context.Context, after time.Duration) error {
	return m.setVisible(ctx, after)
}

func (queueMessage) Hold() time.Duration { return hold }

func (m queueMessage) Extend(ctx context.Context) error { return m.setVisible(ctx, hold) }

// setVisible makes the queue deliver the message again after a while.
func (m queueMessage) setVisible(ctx context.Context, after time.Duration) error {
	_, err := m.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &m.url, ReceiptHandle: m.message.ReceiptHandle, VisibilityTimeout: int32(after.Seconds()),
	})
	return err
}
