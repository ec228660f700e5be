// Package token creates function tokens: the RSA key pairs of namespaces, the signed
// JWTs, and the published key set with which others verify them. It stores nothing and
// does not decide whether a call is admitted; the gateway does that by the token's
// digest.
package token
