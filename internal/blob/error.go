package blob

import "errors"

var (
	// ErrNotFound is returned for a name under which nothing is stored.
	ErrNotFound = errors.New("not found in the blob store")
	// ErrTooLarge is returned for an archive that exceeds its limit.
	ErrTooLarge = errors.New("archive is too large")
	// ErrCondemned is returned by the commit of an archive that is going to be deleted,
	// because another server removed it before the commit.
	ErrCondemned = errors.New("the archive is going to be deleted")
	// ErrInvalidName is returned for an ID, digest or name that cannot be a file name.
	ErrInvalidName = errors.New("not a valid name for a blob")
)
