package functions

import (
	"fmt"
	"time"
)

// Limits are the bounds of what one project can have. The defaults are
// Scaleway's documented ones.
type Limits struct {
	// Projects is the most projects of the server.
	Projects int
	// Namespaces is the most namespaces of a project, Functions the most
	// functions of an organization.
	Namespaces int
	Functions  int
	// Tokens is the most tokens of one function or of one namespace, and
	// ProjectTokens the most of a project.
	Tokens, ProjectTokens int
	// Crons, Triggers and Domains are the most of a function; the others the
	// most of a project.
	Crons, ProjectCrons       int
	Triggers, ProjectTriggers int
	Domains, ProjectDomains   int
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
	// Storage is how much the code archives of a project take together, in bytes.
	Storage int64
}

// DefaultLimits are those of Scaleway's documentation. It documents none for
// tokens, crons and triggers, nor for the domains of a project.
func DefaultLimits() Limits {
	return Limits{
		Projects:   1000,
		Namespaces: 100,
		Functions:  1000,
		Tokens:     10_000, ProjectTokens: 100_000,
		Crons: 100, ProjectCrons: 1000,
		Triggers: 50, ProjectTriggers: 500,
		Domains: 50, ProjectDomains: 500,
		Variables:    200,
		VariableSize: 1000,
		SecretSize:   65536,
		MaxScale:     50,
		MinTimeout:   10 * time.Second,
		MaxTimeout:   time.Hour,
		ArchiveSize:  100 << 20,
		PayloadSize:  6 << 20,
		Storage:      10 << 30,
	}
}

// Validate tells what is wrong with the limits, by the names of their settings.
func (l Limits) Validate() error {
	for name, limit := range map[string]int64{
		"max-projects": int64(l.Projects), "max-namespaces": int64(l.Namespaces), "max-functions": int64(l.Functions), "max-domains": int64(l.Domains),
		"max-tokens": int64(l.Tokens), "max-crons": int64(l.Crons), "max-triggers": int64(l.Triggers),
		"max-project-tokens": int64(l.ProjectTokens), "max-project-crons": int64(l.ProjectCrons),
		"max-project-triggers": int64(l.ProjectTriggers), "max-project-domains": int64(l.ProjectDomains),
		"max-variables": int64(l.Variables), "max-variable-size": int64(l.VariableSize), "max-secret-size": int64(l.SecretSize),
		"max-scale": int64(l.MaxScale), "max-archive-size": l.ArchiveSize, "max-payload-size": l.PayloadSize, "max-storage": l.Storage,
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
