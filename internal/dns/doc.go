// Package dns asks the operator's DNS server who owns a hostname. It serves no
// names.
package dns
