// Package certificate selects the certificate for each TLS connection to the gateway. Files
// reads a certificate of the operator, ACME obtains certificates from a public authority,
// and Hosts issues certificates from a local Authority. The package opens no port.
package certificate
