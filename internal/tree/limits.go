package tree

import (
	"errors"
	"fmt"
)

// MaxDepth is how deep folders may be nested. It bounds the file descriptors of a
// walk; real packages stay below 60.
const MaxDepth = 128

// DefaultEntries is the number of files, folders and links that a tree may have
// where nobody says otherwise: four times what an archive may hold.
const DefaultEntries = 1 << 18

// ErrLimit is wrapped by the errors for trees that are too large.
var ErrLimit = errors.New("folder is too large")

// Limits bound a tree. The zero value of a field stands for no limit.
type Limits struct {
	// Bytes is compared with Usage.Bytes.
	Bytes int64
	// Entries counts files, folders and links.
	Entries int64
}

// Usage is how large a tree is.
type Usage struct {
	// Bytes counts for each entry the larger of its length and of its blocks on
	// the disk: a sparse file counts with its length, an empty folder with its
	// block.
	Bytes int64
	// Entries counts files, folders and links.
	Entries int64
}

// add counts one more entry. Returns an error that wraps ErrLimit beyond a limit.
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
