// Package usage remembers when API keys and tokens were used last, to the
// minute. A use costs one store to memory; what was used is written down at most
// once a minute, when the server stops, and when somebody looks.
package usage
