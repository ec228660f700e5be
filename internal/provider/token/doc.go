// Package token is scaleway_function_token: the resource, the two data sources, the
// ephemeral resource, and the provider function token_claims.
package token
