package tree

import (
	"errors"
	"fmt"
)

// MaxDepth is the maximum depth of nested folders. It bounds the file descriptors of a
// walk. Real packages have fewer than 60 levels.
const MaxDepth = 128

// DefaultEntries is the default maximum number of files, folders and links of a tree:
// four times the maximum of an archive.
const DefaultEntries = 1 << 18

// ErrLimit is wrapped by the errors for trees that are too large.
var ErrLimit = errors.New("folder is too large")

// Limits bound a tree. A zero field means no limit.
type Limits struct {
	// Bytes bounds Usage.Bytes.
	Bytes int64
	// Entries counts files, folders and links.
	Entries int64
}

// Usage is the size of a tree.
type Usage struct {
	// Bytes is the sum over all entries of the length or the disk blocks, whichever is
	// larger. Thus sparse files count with their length, and folders with their blocks.
	Bytes int64
	// Entries counts files, folders and links.
	Entries int64
}

// add counts one more entry. It returns an error that wraps ErrLimit beyond a limit.
func (u *Usage) add(bytes int64, l Limits) error {
	u.Bytes += bytes
	u.Entries++
	if l.Bytes > 0 && u.Bytes > l.Bytes {
		return fmt.Errorf("%w: more than %d bytes", ErrLimit, l.Bytes)
	}
	if l.Entries > 0 && u.Entries > l.Entries {
		return fmt.Errorf("%w: more than %d files and folders", ErrLimit, l.Entries)
	}
	return nil
}

func errDepth() error { return fmt.Errorf("%w: folders nested deeper than %d", ErrLimit, MaxDepth) }
