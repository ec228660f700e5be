// Package client calls the Functions API for the provider. It loads the
// credentials, retries requests, decodes errors, waits until objects have
// settled, and uploads archives. It does not depend on Terraform's schema or
// state.
package client
