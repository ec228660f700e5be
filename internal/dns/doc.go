// Package dns tells whether a hostname leads to a function, by the DNS server
// that the operator names. It serves no names itself.
package dns
