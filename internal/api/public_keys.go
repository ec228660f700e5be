package api

import (
	"net/http"
	"strconv"
)

// publicKeysAge is for how many seconds a verifier may keep the key set: a new
// namespace's tokens are refused by those who have not heard of its key.
const publicKeysAge = 60

// getPublicKeys answers everybody: public keys are no secret, and those who
// verify tokens have no API key.
func (a *API) getPublicKeys(w http.ResponseWriter, _ *http.Request) {
	document := a.PublicKeys()
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(publicKeysAge))
	w.Header().Set("Access-Control-Allow-Origin", "*")
	// A client that went away has no use for an answer.
	_, _ = w.Write(document)
}
