//go:build !linux

package child

// LowerOOMScore does nothing: only Linux has such a score.
func LowerOOMScore() error { return nil }

func raiseOOMScore(int) {}
