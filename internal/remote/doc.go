// Package remote is the client side of a Jeton server: it selects the server and its
// credentials, finds objects by name or ID, deploys code, reads logs and calls functions. It uses
// Scaleway's SDK, and plain HTTP for the endpoints that only Jeton has. It prints nothing.
package remote
