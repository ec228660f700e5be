//go:build !linux

package child

// CloseInheritedOnExec does nothing on this system.
func CloseInheritedOnExec() error { return nil }
