//go:build nextversion

package store

// Format is that of a later version, for the test of a rolling upgrade.
const Format = 2
