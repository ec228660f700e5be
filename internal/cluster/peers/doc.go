// Package peers connects the nodes of a cluster: HTTP/1.1 over mutual TLS, with pooled
// connections. It asks other nodes what they have applied, and carries forwarded calls and
// the internal requests of other packages. It answers members only. It does not choose
// nodes, and it does not serve functions.
package peers
