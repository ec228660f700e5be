//go:build !linux

package volume

import (
	"context"
	"errors"
)

// Mount returns errors.ErrUnsupported.
func Mount(context.Context, string, string, int64, int64) error { return errors.ErrUnsupported }

// Unmount returns nil: no volume is mounted on this system.
func Unmount(string) error { return nil }

// Used returns errors.ErrUnsupported.
func Used(string) (bytes, entries int64, err error) { return 0, 0, errors.ErrUnsupported }
