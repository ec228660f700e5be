// Package dns verifies with a DNS server that the owner of a hostname assigned it to a
// function. It does not serve names.
package dns
