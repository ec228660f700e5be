package api

import "net/http"

type metadataResponse struct {
	Domain    string `json:"domain"`
	Partition string `json:"partition"`
	Platform  string `json:"platform"`
}

// getMetadata responds without authentication, as Scaleway does, with the values from the
// tests of Scaleway's SDK for Go. Version 1.39 of the SDK requests it after successful calls
// until it gets a response.
func (a *API) getMetadata(w http.ResponseWriter, r *http.Request) {
	a.writeJSON(w, r, http.StatusOK, metadataResponse{Domain: "scw.eu", Partition: "scw", Platform: "external"})
}
