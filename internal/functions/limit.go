package functions

import (
	"fmt"
	"time"
)

// Limits are the maximum numbers and sizes of objects and their parts.
type Limits struct {
	// Projects is the maximum number of projects of the server.
	Projects int
	// Namespaces is the maximum number per project, Functions per organization.
	Namespaces int
	Functions  int
	// Tokens is the maximum number per function and per namespace, ProjectTokens
	// per project.
	Tokens, ProjectTokens int
	// Crons, Triggers and Domains are the maximum numbers per function, the others
	// per project.
	Crons, ProjectCrons       int
	Triggers, ProjectTriggers int
	Domains, ProjectDomains   int
	// Variables is the maximum number of plain variables, and of secret ones, of a
	// namespace or a function. VariableSize is in characters, SecretSize in bytes.
	Variables    int
	VariableSize int
	SecretSize   int
	// MaxScale is the maximum number of instances of a function.
	MaxScale int
	// MinTimeout and MaxTimeout bound the timeout of calls to a function.
	MinTimeout time.Duration
	MaxTimeout time.Duration
	// ArchiveSize is the maximum size of a code archive, and PayloadSize that of the
	// body of a call, in bytes.
	ArchiveSize int64
	PayloadSize int64
	// Storage is the maximum total size of the code archives of a project, in bytes.
	Storage int64
}

// DefaultLimits returns the limits of Scaleway's documentation. It documents none for
// projects, tokens, crons, triggers, and domains per project.
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

// Validate returns an error that names the setting of an invalid limit.
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
		return fmt.Errorf("min-timeout is %v: it must be positive", l.MinTimeout)
	}
	if l.MaxTimeout < l.MinTimeout {
		return fmt.Errorf("max-timeout is %v: it must be at least min-timeout, %v", l.MaxTimeout, l.MinTimeout)
	}
	return nil
}

// timeout returns the timeout of a function for which none is given.
func (l Limits) timeout() time.Duration {
	return min(max(defaultTimeout, l.MinTimeout), l.MaxTimeout)
}
