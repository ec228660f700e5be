package gateway

import (
	"crypto/tls"
	"net/http"
)

// noteEncryption gives a request over TLS what net/http would have given it if
// Strict did not stand between.
func noteEncryption(r *http.Request) {
	c, ok := r.Context().Value(connectionKey{}).(*strictConn)
	if !ok || r.TLS != nil {
		return
	}
	if encrypted, ok := c.Conn.(*tls.Conn); ok {
		state := encrypted.ConnectionState()
		r.TLS = &state
	}
}

// Project returns the project of the function that has the host, and whether
// there is one.
func (t *Table) Project(host string) (project string, known bool) {
	r, ok := t.route(host)
	return r.projectID, ok
}

// Serves tells whether a function has the host.
func (t *Table) Serves(host string) bool {
	_, ok := t.route(host)
	return ok
}
