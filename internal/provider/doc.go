// Package provider is the Terraform provider: the schemas of its resources, and
// what Terraform's operations on them mean in calls of the Functions API. It
// takes the place of the official provider for the resources that it has, with
// the same types and the same states; see the packages below it for the
// connection (client), the ids (regional) and what counts as a change
// (spelling). It knows nothing of Jeton's server.
package provider
