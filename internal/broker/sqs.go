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
	// mostAtOnce is how many messages SQS gives at once.
	mostAtOnce = 10
	// answerTimeout bounds a request with its whole answer.
	answerTimeout = 3 * fetchWait
)

// openQueue finds a queue by its name.
func openQueue(ctx context.Context, service SQSService, name string) (schedule.Source, error) {
	client := newSQS(service.Endpoint, service.Region, service.AccessKey, service.SecretKey.Reveal(), nil)
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, fmt.Errorf("SQS queue %q: %w", name, err)
	}
	if aws.ToString(found.QueueUrl) == "" {
		return nil, fmt.Errorf("SQS queue %q: the service named no URL", name)
	}
	return &queue{client: client, url: *found.QueueUrl}, nil
}

// openExternal reaches a queue that a caller of the API has named.
func openExternal(q functions.ExternalSQSQueue, secretKey string, anywhere bool) schedule.Source {
	var dial func(context.Context, string, string) (net.Conn, error)
	if !anywhere {
		dial = (&net.Dialer{Control: publicOnly}).DialContext
	}
	return &queue{client: newSQS(q.Endpoint, "", q.AccessKey, secretKey, dial), url: q.QueueURL}
}

func newSQS(endpoint, region, accessKey, secretKey string, dial func(context.Context, string, string) (net.Conn, error)) *sqs.Client {
	transport := &http.Transport{
		DialContext: dial, MaxIdleConnsPerHost: mostAtOnce,
		TLSHandshakeTimeout: connectTimeout, ResponseHeaderTimeout: 2 * fetchWait, MaxResponseHeaderBytes: maxAnswerHeader,
	}
	if dial == nil {
		transport.Proxy = http.ProxyFromEnvironment
	}
	if region == "" {
		region = "fr-par" // it is part of what is signed, and of nothing else
	}
	return sqs.New(sqs.Options{
		BaseEndpoint: &endpoint, Region: region, HTTPClient: &http.Client{Transport: boundedTransport{transport}, Timeout: answerTimeout},
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")),
	})
}

// publicOnly refuses connections to this machine and its private networks: the
// server is not to be sent where only it can go.
func publicOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := to.Addr().Unmap()
	if !public(ip) || own(ip) {
		return fmt.Errorf("%s is not public: the server reaches queues there only with --queues-anywhere", ip)
	}
	return nil
}

// own reports whether an address is one of this machine's. If that cannot be told,
// it is.
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

// queue is a queue of a service that speaks SQS.
type queue struct {
	client *sqs.Client
	url    string
}

// Fetch implements schedule.Source.
func (q *queue) Fetch(ctx context.Context, most int) ([]schedule.Message, error) {
	answer, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(min(most, mostAtOnce)),
		WaitTimeSeconds: int32(fetchWait.Seconds()), VisibilityTimeout: int32(held.Seconds()),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount},
	})
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("SQS: %w", err)
	}
	if answer == nil {
		return nil, nil
	}
	if count := len(answer.Messages); count > mostAtOnce {
		return nil, fmt.Errorf("SQS: the service gave %d messages, and at most %d were asked for", count, most)
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
	return m.visible(ctx, after)
}

func (queueMessage) Hold() time.Duration { return held }

func (m queueMessage) Extend(ctx context.Context) error { return m.visible(ctx, held) }

// visible says when the queue may give the message to the next who asks.
func (m queueMessage) visible(ctx context.Context, after time.Duration) error {
	_, err := m.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &m.url, ReceiptHandle: m.message.ReceiptHandle, VisibilityTimeout: int32(after.Seconds()),
	})
	return err
}
