// Package client owns the provider's connection to the Functions API: as whom
// it calls, how it sends a request again, what an answer that is an error says,
// how it waits for a state, and how it uploads an archive. It knows no schema
// and no state of Terraform.
package client
