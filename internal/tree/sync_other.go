//go:build !linux

package tree

import (
	"errors"
	"os"
)

// syncFileSystem returns errors.ErrUnsupported.
func syncFileSystem(*os.File) error { return errors.ErrUnsupported }
