// Package token makes what a function token is made of: the namespaces' key
// pairs and the signed text. It keeps nothing and admits nobody; the gateway
// admits by the digest of the text alone.
package token
