// Package secret owns values that nobody may see: a string that never prints,
// and the box that seals such values for keeping. It does not decide what is
// secret, nor where the sealed bytes are kept.
package secret
