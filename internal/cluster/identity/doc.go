// Package identity proves to the nodes of a cluster which member is at the other end of a
// connection: a certificate authority that the nodes share, sealed in the database, and
// certificates that each node issues for its own incarnation. It does not decide who is a
// member.
package identity
