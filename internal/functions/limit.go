package functions

import (
	"fmt"
	"time"
)

// Limits are the bounds of what one project can have. The defaults are
// Scaleway's documented ones.
type Limits struct {
	// Namespaces is the most namespaces of a project, Functions the most
	// functions of an organization.
	Namespaces int
	Functions  int
	// Domains is the most domains of a function.
	Domains int
	// Variables is the most variables of one kind, plain or secret, that a
	// namespace or a function can have; VariableSize is in characters,
	// SecretSize in bytes.
	Variables    int
	VariableSize int
	SecretSize   int
	// MaxScale is the most instances of a function.
	MaxScale int
	// MinTimeout and MaxTimeout bound how long one call may take.
	MinTimeout time.Duration
	MaxTimeout time.Duration
	// ArchiveSize is the largest code archive, and PayloadSize the largest body
	// of a call, in bytes.
	ArchiveSize int64
	PayloadSize int64
}

// DefaultLimits are those of Scaleway's documentation.
func DefaultLimits() Limits {
	return Limits{
		Namespaces:   100,
		Functions:    1000,
		Domains:      50,
		Variables:    200,
		VariableSize: 1000,
		SecretSize:   65536,
		MaxScale:     50,
		MinTimeout:   10 * time.Second,
		MaxTimeout:   time.Hour,
		ArchiveSize:  100 << 20,
		PayloadSize:  6 << 20,
	}
}

// Validate tells what is wrong with the limits, by the names of their settings.
func (l Limits) Validate() error {
	for name, limit := range map[string]int64{
		"max-namespaces": int64(l.Namespaces), "max-functions": int64(l.Functions), "max-domains": int64(l.Domains),
		"max-variables": int64(l.Variables), "max-variable-size": int64(l.VariableSize), "max-secret-size": int64(l.SecretSize),
		"max-scale": int64(l.MaxScale), "max-archive-size": l.ArchiveSize, "max-payload-size": l.PayloadSize,
	} {
		if limit < 1 {
			return fmt.Errorf("%s is %d: it must be at least 1", name, limit)
		}
	}
	if l.MinTimeout <= 0 {
		return fmt.Errorf("min-timeout is %v: it must be more than nothing", l.MinTimeout)
	}
	if l.MaxTimeout < l.MinTimeout {
		return fmt.Errorf("max-timeout is %v: it must be at least min-timeout, %v", l.MaxTimeout, l.MinTimeout)
	}
	return nil
}

// timeout is that of a function for which none is given.
func (l Limits) timeout() time.Duration {
	return min(max(defaultTimeout, l.MinTimeout), l.MaxTimeout)
}
