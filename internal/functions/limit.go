package functions

import "time"

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
	// ArchiveSize is the largest code archive, in bytes.
	ArchiveSize int64
}

// DefaultLimits are those of Scaleway's documentation.
func DefaultLimits() Limits {
	return Limits{
		Namespaces:   100,
		Functions:    1000,
		Domains:      50,
		Variables:    100,
		VariableSize: 1000,
		SecretSize:   65536,
		MaxScale:     50,
		MinTimeout:   10 * time.Second,
		MaxTimeout:   time.Hour,
		ArchiveSize:  100 << 20,
	}
}

// MaxPayload is the largest body of a call, in bytes (Scaleway's
// documentation).
const MaxPayload = 6 << 20
