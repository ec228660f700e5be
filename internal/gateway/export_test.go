package gateway

import (
	"net/http"
	"time"
)

// Admits tells whether a call of the function at a host is admitted.
func (g *Gateway) Admits(header http.Header, host string, now time.Time) bool {
	to, ok := g.Table.route(host)
	return ok && g.admit(header, to, now).admitted
}

// Unambiguous tells whether a connection over which the pieces come is let
// through.
func Unambiguous(pieces []string) bool {
	f := newFraming()
	for _, piece := range pieces {
		if f.feed([]byte(piece)) != nil {
			return false
		}
	}
	return true
}
