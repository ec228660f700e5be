package audit

// OpenBounded is like Open with another maximum size of files.
func OpenBounded(path string, maxSize int64) (*Log, error) { return open(path, maxSize) }

// Kept is the number of older files that are kept.
const Kept = kept
