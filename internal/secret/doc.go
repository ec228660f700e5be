// Package secret holds values that must not be disclosed: a string type that never
// prints its value, and a Sealer that encrypts values for storage. It does not decide
// which values are secret, nor where sealed values are stored.
package secret
