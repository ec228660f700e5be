package peers

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/gateway/upstream"
	"github.com/jeton-dev/jeton/internal/store"
)

const (
	// dialTimeout is the maximum time of a connection with its handshake.
	dialTimeout = 5 * time.Second
	// keepAlive is the interval at which TCP notices a node that has disappeared.
	keepAlive = 5 * time.Second
	// transportAge is the age after which new connections are made, so that none outlives
	// the certificates of both nodes.
	transportAge = time.Hour
	// maxIdle is the maximum number of kept connections to one node.
	maxIdle = 512
	// maxAnswer is the maximum size in bytes of the answer to a question.
	maxAnswer = 4 << 10
)

// A transport has the connections to one incarnation.
type transport struct {
	*upstream.Transport

	made time.Time
}

// RoundTrip sends a request to a member. The connection is to the incarnation of the member
// and no other.
func (p *Peers) RoundTrip(m store.Member, r *http.Request) (*http.Response, error) {
	return p.transportOf(m).RoundTrip(r)
}

// transportOf returns the transport to a member.
func (p *Peers) transportOf(m store.Member) *upstream.Transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.transports[m.Incarnation]
	if t == nil || time.Since(t.made) > transportAge {
		p.closeOld()
		t = &transport{p.newTransport(m), time.Now()}
		p.transports[m.Incarnation] = t
	}
	return t.Transport
}

// closeOld closes the transports to incarnations that are not members any more, and old
// ones. It is called with mu held.
func (p *Peers) closeOld() {
	for incarnation, t := range p.transports {
		if _, member := p.node.Member(incarnation); !member || time.Since(t.made) > transportAge {
			t.Close()
			delete(p.transports, incarnation)
		}
	}
}

func (p *Peers) newTransport(m store.Member) *upstream.Transport {
	config := p.config.Identity.ClientConfig(m.Incarnation)
	return &upstream.Transport{
		MaxIdle: maxIdle, IdleTimeout: idleTimeout / 2,
		Interim: func(r *http.Request, status int, header http.Header) bool {
			return p.interim != nil && p.interim(r, status, header)
		},
		Dial: func(ctx context.Context) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			dialer := net.Dialer{KeepAlive: keepAlive}
			conn, err := dialer.DialContext(ctx, "tcp", m.Address)
			if err != nil {
				return nil, err
			}
			encrypted := tls.Client(conn, config)
			if err := encrypted.HandshakeContext(ctx); err != nil {
				_ = conn.Close()
				return nil, fmt.Errorf("connect to node %s at %s: %w", m.Node, m.Address, err)
			}
			return encrypted, nil
		},
	}
}

// Do sends an internal request to a member: a request with the path of a pattern of Handle
// and a body of at most MaxBody bytes. The caller must limit the time by the context of the
// request, and close the body of the response.
func (p *Peers) Do(m store.Member, r *http.Request) (*http.Response, error) {
	r.URL.Scheme, r.URL.Host, r.Host = "http", m.Address, m.Address
	response, err := p.RoundTrip(m, r)
	if err != nil {
		return nil, err
	}
	if response.Header.Get(CallHeader) == NotMember {
		_ = response.Body.Close()
		return nil, errors.New("the other node does not know this one as a member")
	}
	return response, nil
}

// Acknowledge implements cluster.Peers.
func (p *Peers) Acknowledge(ctx context.Context, m store.Member, position store.Position) (cluster.Acknowledgement, error) {
	var answer cluster.Acknowledgement
	question, err := json.Marshal(position)
	if err != nil {
		return answer, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node"+acknowledgePath, bytes.NewReader(question))
	if err != nil {
		return answer, err
	}
	response, err := p.Do(m, r)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("ask node %s: %s", m.Node, response.Status)
	}
	// The body is read to its end, so that the connection can be used again.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(body, &answer)
}
