package api

import "net/http"

type metadataAnswer struct {
	Domain    string `json:"domain"`
	Partition string `json:"partition"`
	Platform  string `json:"platform"`
}

// getMetadata answers everybody as the real service does, with the values that are
// in the tests of the SDK for Go. From version 1.39 on that asks after every call
// that has succeeded until it is told.
func (a *API) getMetadata(w http.ResponseWriter, r *http.Request) {
	a.writeJSON(w, r, http.StatusOK, metadataAnswer{Domain: "scw.eu", Partition: "scw", Platform: "external"})
}
