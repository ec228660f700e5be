// Package token knows what a function token is made of: the namespaces' key
// pairs, the signed text, and how others verify it. It keeps nothing and admits
// nobody; the gateway admits by the digest of the text alone.
package token
