//go:build !nextversion

package store

// Format is the newest format of the change log that this version reads and writes. A
// version that adds a kind of object, or a field that older versions must not ignore,
// increases it, and must write the new format only when all members have it.
const Format = 1
