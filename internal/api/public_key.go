package api

import (
	"net/http"
	"strconv"
)

// publicKeysAge is the time for which clients may cache the key set, in seconds. A client
// with an older set does not verify the tokens of a new namespace.
const publicKeysAge = 60

// getPublicKeys responds without authentication: public keys are not secret, and programs
// that verify tokens have no API key.
func (a *API) getPublicKeys(w http.ResponseWriter, _ *http.Request) {
	document := a.config.PublicKeys()
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(publicKeysAge))
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(document)
}
