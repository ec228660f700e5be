// Package relay serves Terraform in front of provider processes. It is the provider to which
// `jeton tf` attaches Terraform.
//
// Terraform opens one connection per provider configuration. The relay starts Jeton's provider
// once per connection, so that aliases have configurations of their own, and the official provider when a
// connection needs it: types that Jeton's provider does not serve are passed on. Messages are
// routed by the type that they name and are not changed otherwise; protocols 5 and 6 differ in
// the names of calls only. The relay does not interpret states, plans or schemas.
package relay
