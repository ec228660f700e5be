// Package admin manages projects, API keys and the nodes of a cluster. It serves a unix socket that only the
// owner of the data folder can open, without authentication, and has the client for it
// that the command line uses.
package admin
