package gateway

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"os"
	"time"
)

// forwardAway sends the call to the home of its function, and passes the answer on. It returns
// false if this node has become the home: the call is then admitted, and its body is not read
// or is buffered.
func (g *Gateway) forwardAway(w http.ResponseWriter, r *http.Request, c *call) (done bool) {
	if !g.readBody(w, r, c) {
		return true
	}
	timing := c.answer.timing
	c.answer.timing = nil // The home adds it.
	retries := 0
	if c.hop != nil {
		retries = c.hop.retries
	}
	c.comeHome = false
	c.hop = &hop{call: c, request: r, waitUntil: c.waitUntil(), retries: retries}
	c.hop.context.start(r.Context(), c, time.Until(c.hop.waitUntil)+c.to.timeout+hopGrace)
	defer c.hop.context.finish()
	defer c.hop.end()
	defer g.upgrades.remove(c)
	r = r.WithContext(&c.hop.context)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = keptBody{r.Body}
	}
	g.away.ServeHTTP(w, r)
	if c.comeHome {
		c.answer.timing = timing
	}
	return !c.comeHome
}

// keptBody is a body that httputil.ReverseProxy does not close: this node may become the home
// of the function, and serve the call.
type keptBody struct{ io.Reader }

// Close implements io.Closer.
func (keptBody) Close() error { return nil }

// newAwayProxy returns the proxy to other nodes.
func newAwayProxy(g *Gateway, to *slog.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport:      hopTransport{g},
		Rewrite:        rewriteAway,
		ModifyResponse: prepareAway,
		ErrorHandler:   g.answerAway,
		BufferPool:     &Buffers{},
		ErrorLog:       log.New(proxyLog{to}, "", 0),
	}
}

// proxyHeaders are the headers that httputil.ReverseProxy removes. The home decides whether
// they are those of a trusted proxy.
var proxyHeaders = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}

// rewriteAway prepares the request for the home: as the caller has sent it.
func rewriteAway(p *httputil.ProxyRequest) {
	c := callOf(p.In)
	u := *c.url
	u.Scheme, u.Host = "http", p.In.Host
	p.Out.URL = &u
	for _, name := range proxyHeaders {
		if values, ok := p.In.Header[name]; ok {
			p.Out.Header[name] = values
		}
	}
	p.Out.Header[requestIDHeader] = []string{c.requestID}
	delete(p.Out.Header, "Expect")
	if c.buffered == nil && p.Out.Body != nil && p.Out.Body != http.NoBody && p.In.ContentLength != 0 {
		// The body is sent when the home has an instance for it. Until then the call can be
		// sent to another node.
		p.Out.Header["Expect"] = expectContinue
	}
}

// expectContinue is never changed.
var expectContinue = []string{"100-continue"}

// prepareAway prepares the response of the home for the caller.
func prepareAway(response *http.Response) error {
	c := callOf(response.Request)
	delete(response.Header, requestIDHeader)
	if response.StatusCode == http.StatusSwitchingProtocols {
		stopInspection(response.Request.Context())
		c.upgraded()
		return nil
	}
	response.Body = &hopBody{response.Body, c}
	return nil
}

// hopBody is the body of the home's answer. It records why it could not be read.
type hopBody struct {
	io.ReadCloser
	call *call
}

// Read implements io.Reader.
func (b *hopBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.call.failure = err
		if reason := b.call.hop.context.reason(); reason != nil {
			b.call.failure = reason
		}
	}
	return n, err
}

// answerAway answers a call that the home did not answer.
func (g *Gateway) answerAway(w http.ResponseWriter, r *http.Request, err error) {
	c := callOf(r)
	if bodyError := c.bodyError.Load(); bodyError != nil {
		err = *bodyError
	} else if errors.Is(err, context.Canceled) && c.body.timedOut(time.Now()) {
		err = os.ErrDeadlineExceeded
		c.bodyError.Store(&err)
	}
	switch {
	case errors.Is(err, errHomeHere):
		c.comeHome = true
	case isBodyError(c, err):
		answerBadBody(w, c, err)
	case errors.Is(err, errTimeout):
		c.failure = errTimeout
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		answer(w, http.StatusGatewayTimeout, "the function did not answer in time")
	case errors.Is(err, errHomeLost):
		c.failure = err
		if c.hop.context.reason() != nil && r.ProtoMajor == 1 {
			// The transfer was aborted.
			w.Header().Set("Connection", "close")
		}
		answer(w, http.StatusBadGateway, "the function did not answer")
	case errors.Is(err, errNotAdmitted), errors.Is(err, errUnsettled), errors.Is(err, errNotDeployed):
		c.failure = err
		answerNoInstance(w, err)
	default:
		c.failure, c.clientDisconnected = err, r.Context().Err() != nil
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, "the node that serves the function cannot be reached now")
	}
}
