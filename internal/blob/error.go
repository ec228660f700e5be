package blob

import "errors"

var (
	// ErrNotFound is returned for a name under which nothing is stored.
	ErrNotFound = errors.New("not found in the blob store")
	// ErrTooLarge is returned for an archive that exceeds its limit.
	ErrTooLarge = errors.New("archive is too large")
	// ErrInvalidName is returned for an ID, digest or name that cannot be a file name.
	ErrInvalidName = errors.New("not a valid name for a blob")
)
