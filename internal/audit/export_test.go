package audit

// OpenBounded opens a log whose files are smaller than those of Open.
func OpenBounded(path string, maxSize int64) (*Log, error) { return open(path, maxSize) }

// Kept is how many files there are besides the one that is written.
const Kept = kept
