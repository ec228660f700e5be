//go:build !linux

package child

// KeepInherited does nothing: see its other half, for Linux.
func KeepInherited() error { return nil }
