// Package usage records the last use of API keys and tokens, with a precision of one
// minute. Noting a use is one write to memory. The uses are stored once a minute, when
// the server stops, and before they are read.
package usage
