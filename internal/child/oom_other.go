//go:build !linux

package child

// LowerOOMScore does nothing: only Linux has OOM scores.
func LowerOOMScore() error { return nil }

func raiseOOMScore(int) {}
