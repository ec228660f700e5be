package gateway

import (
	"net/http"
	"time"
)

// Admits reports whether a call of the function with a hostname is admitted.
func (g *Gateway) Admits(header http.Header, host string, now time.Time) bool {
	to, ok := g.config.Table.route(host)
	return ok && g.admit(header, to, now).admitted
}

// Unambiguous reports whether the requests of a connection are unambiguous. The data arrives in
// the given pieces.
func Unambiguous(pieces []string) bool {
	f := newFraming()
	for _, piece := range pieces {
		if f.parse([]byte(piece)) != nil {
			return false
		}
	}
	return true
}
