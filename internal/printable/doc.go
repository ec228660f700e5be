// Package printable makes text of other parties safe for terminals. It does not shorten or
// translate text.
package printable
