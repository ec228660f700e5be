package blob

import "context"

// BuildCache stores the results of builds under names that identify their input,
// and evicts the least recently used ones when it exceeds its limit. All methods
// are safe for concurrent use, and return ErrInvalidName for a name that cannot be
// a file name.
type BuildCache interface {
	// Get writes the result stored under name to the folder into, which must not
	// exist, and returns the notes stored with it. The files may be shared with
	// others: the caller must not change them. Returns ErrNotFound.
	Get(ctx context.Context, name, into string) (notes []byte, err error)
	// Put stores a copy of the folder dir, with notes. It does nothing if the name
	// exists or the folder alone is larger than the limit of the cache.
	Put(ctx context.Context, name, dir string, notes []byte) error
}
