// Package certificate has the certificate for each connection to the gateway:
// one of the operator's files, read again when they change, or one that a local
// authority makes for a function's host. It opens no port.
package certificate
