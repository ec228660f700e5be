// Package leave copies the functions of an account at Scaleway, or at another server with
// the same API, to this server: it reads the account over the API, and writes it through the
// admin socket with its IDs. It also writes an account as a Terraform configuration. It
// changes nothing at the source, except that it can request public keys.
package leave
