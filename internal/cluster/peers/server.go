package peers

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// Server returns the server for other nodes. Serve it with Listener.
func (p *Peers) Server() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: http.HandlerFunc(p.serve), Protocols: protocols,
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
	}
}

// Listener returns a listener of the connections of other nodes. It limits the connections
// that have not proved yet that they are of a node more than the others.
func (p *Peers) Listener(l net.Listener) net.Listener {
	limits := newConnections(p.config.MaxConnections)
	config := p.config.Identity.ServerConfig()
	perConnection := config.Clone()
	perConnection.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		c := config.Clone()
		c.VerifyConnection = func(state tls.ConnectionState) error {
			err := config.VerifyConnection(state)
			if limited, ok := hello.Conn.(*limitedConn); ok && err == nil {
				limited.proved()
			}
			return err
		}
		return c, nil
	}
	return tls.NewListener(&limitedListener{l, limits}, perConnection)
}

func (p *Peers) serve(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.node.Member(p.config.Identity.Peer(r.TLS)); !ok {
		w.Header().Set(CallHeader, NotMember)
		// Its connection is not kept.
		w.Header().Set("Connection", "close")
		http.Error(w, "not a member of the cluster", http.StatusForbidden)
		return
	}
	if _, ok := r.Header[CallHeader]; ok {
		p.calls.ServeHTTP(w, r)
		return
	}
	p.routes.ServeHTTP(w, r)
}

// limitBody limits the size and the time of bodies.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A connection that does not support deadlines is not one of Server.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		next.ServeHTTP(w, r)
	})
}

const (
	acknowledgePath = "/acknowledge"
	// acknowledgeTimeout is how long this node waits for a change.
	acknowledgeTimeout = 4 * time.Second
)

// acknowledge answers whether this node has applied a change.
func (p *Peers) acknowledge(w http.ResponseWriter, r *http.Request) {
	var position store.Position
	if err := json.NewDecoder(r.Body).Decode(&position); err != nil {
		http.Error(w, "not a position of the change log", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), acknowledgeTimeout)
	defer cancel()
	answer := p.node.Acknowledge(ctx, position)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // An error means that the other node has disconnected.
}
