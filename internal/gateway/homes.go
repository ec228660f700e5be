package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// Homes chooses the nodes that serve the calls of functions, and sends calls to them.
type Homes interface {
	// Home returns the node that serves the calls of a function, and whether that is this
	// one. It returns the zero Member and false if there is none.
	Home(functionID string) (home store.Member, self bool)
	// Member returns the member with an incarnation, and whether there is one.
	Member(incarnation string) (store.Member, bool)
	// Present reports whether the node of a member is a member now, also as a later
	// incarnation: its process may have joined again.
	Present(store.Member) bool
	// Membership returns the number of the last change of a member.
	Membership() int64
	// CatchUp waits until the change with a number is applied.
	CatchUp(ctx context.Context, number int64) error
	// RoundTrip sends a request to a node, which answers it with the handler Forwarded.
	RoundTrip(home store.Member, r *http.Request) (*http.Response, error)
}

// ForwardedHeader is the header with which nodes exchange what they know about a forwarded
// call. The gateway removes it from what clients and functions send.
const ForwardedHeader = "Jeton-Forwarded"

// The values of ForwardedHeader in answers. An answer with another value was not given by the
// gateway of the home.
const (
	// acquiredValue is in the informational answer that an instance was acquired.
	acquiredValue = "acquired"
	// unsettledValue is in the answer of a home that cannot decide about calls now.
	unsettledValue = "unsettled"
	// misdirectedValue, with a number of the change log, is in the answer of a node that is
	// not the home.
	misdirectedValue = "membership="
)

// catchUpTimeout is how long a node waits for the membership that another node has.
const catchUpTimeout = time.Second

// An origin is what the node that has received a call knows about it.
type origin struct {
	// membership is the number of the last change of a member that the node has applied.
	membership int64
	// wait is how long the call may still wait for an instance.
	wait time.Duration
	// remote is the address of the node's peer: the caller, or a proxy.
	remote string
	// overTLS means that the peer has used TLS.
	overTLS bool
	// counted means that Gateway.forwarded counts the call.
	counted bool
}

// String returns the value of ForwardedHeader.
func (o origin) String() string {
	protocol := "http"
	if o.overTLS {
		protocol = "https"
	}
	return strconv.FormatInt(o.membership, 10) + " " + strconv.FormatInt(o.wait.Milliseconds(), 10) + " " + protocol + " " + o.remote
}

// errOrigin means that the header of a forwarded call is invalid.
var errOrigin = errors.New("parse the header of a forwarded call: it is not that of a node")

// parseOrigin reverses origin.String.
func parseOrigin(text string) (origin, error) {
	membership, rest, _ := strings.Cut(text, " ")
	wait, rest, _ := strings.Cut(rest, " ")
	protocol, remote, ok := strings.Cut(rest, " ")
	number, err := strconv.ParseInt(membership, 10, 64)
	milliseconds, err2 := strconv.ParseInt(wait, 10, 64)
	if !ok || err != nil || err2 != nil || number < 0 || milliseconds < 0 || milliseconds > maxWait.Milliseconds() || protocol != "http" && protocol != "https" {
		return origin{}, errOrigin
	}
	return origin{membership: number, wait: time.Duration(milliseconds) * time.Millisecond, remote: remote, overTLS: protocol == "https"}, nil
}

// maxWait exceeds every time for which a call can wait.
const maxWait = 24 * time.Hour

// here reports whether this node is the home of the call's function.
func (g *Gateway) here(c *call) bool {
	if g.config.Homes == nil || c.internal {
		return true
	}
	_, self := g.config.Homes.Home(c.to.functionID)
	return self
}

// catchUp waits until this node has applied the membership that the sender of a forwarded
// call has.
func (g *Gateway) catchUp(r *http.Request, c *call) {
	if g.config.Homes.Membership() < c.from.membership {
		ctx, cancel := context.WithTimeout(r.Context(), catchUpTimeout)
		defer cancel()
		_ = g.config.Homes.CatchUp(ctx, c.from.membership) // The sender learns what this node has applied.
	}
}

// answerMisdirected answers a forwarded call whose function has another home. The body was
// not read.
func (g *Gateway) answerMisdirected(w http.ResponseWriter, c *call) {
	c.misdirected = true
	w.Header().Set(ForwardedHeader, misdirectedValue+strconv.FormatInt(g.config.Homes.Membership(), 10))
	answer(w, http.StatusMisdirectedRequest, "this node is not the home of the function")
}

// markUnsettled marks the answer to a forwarded call that this node cannot decide about: the
// sender may try again when there is another home.
func (c *call) markUnsettled(w http.ResponseWriter) {
	if c.from != nil {
		w.Header().Set(ForwardedHeader, unsettledValue)
	}
}

// announce tells the node that has forwarded a call that an instance was acquired: from now
// on the function may have received the call.
func (c *call) announce(w http.ResponseWriter) {
	if c.from == nil {
		return
	}
	if recorded, ok := w.(*statusRecorder); ok {
		w = recorded.ResponseWriter
	}
	header := w.Header()
	header[ForwardedHeader] = acquired
	w.WriteHeader(http.StatusProcessing)
	delete(header, ForwardedHeader)
}

// acquired is never changed.
var acquired = []string{acquiredValue}

// misdirection returns the number in the answer of a node that is not the home, and whether
// the answer is one.
func misdirection(r *http.Response) (number int64, ok bool) {
	text, ok := strings.CutPrefix(r.Header.Get(ForwardedHeader), misdirectedValue)
	if !ok || r.StatusCode != http.StatusMisdirectedRequest {
		return 0, false
	}
	number, err := strconv.ParseInt(text, 10, 64)
	return number, err == nil
}

// Forwarded returns the handler of the calls that other nodes forward to this one. Its
// requests must come from members of the cluster: it uses what they say about the caller.
func (g *Gateway) Forwarded() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := parseOrigin(r.Header.Get(ForwardedHeader))
		if err != nil || g.config.Homes == nil {
			http.Error(w, fmt.Sprint(errOrigin), http.StatusBadRequest)
			return
		}
		delete(r.Header, ForwardedHeader)
		g.forwarded.Add(1)
		from.counted = true
		defer g.uncount(&from)
		// A caller over HTTP/2 may send its body while it receives the answer.
		_ = http.NewResponseController(w).EnableFullDuplex()
		r.RemoteAddr, r.TLS = from.remote, nil
		if from.overTLS {
			r.TLS = noTLSState
		}
		g.serve(w, r, false, &from)
	})
}

// uncount is called when a forwarded call has ended or switched protocols.
func (g *Gateway) uncount(from *origin) {
	if from != nil && from.counted {
		from.counted = false
		g.forwarded.Add(-1)
	}
}

// noTLSState is the state of a caller's TLS connection to another node.
var noTLSState = new(tls.ConnectionState)

// AwaitForwarded waits until no forwarded call runs at this node, or ctx ends. It does not
// wait for calls that have switched protocols, which can last long.
func (g *Gateway) AwaitForwarded(ctx context.Context) {
	tick := time.NewTicker(forwardedTick)
	defer tick.Stop()
	for g.forwarded.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// forwardedTick is the interval at which AwaitForwarded looks.
const forwardedTick = 10 * time.Millisecond
