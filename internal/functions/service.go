package functions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/secret"
)

// RuntimeInfo is what the service needs to know about a runtime.
type RuntimeInfo struct {
	Name           string
	Language       string
	DefaultHandler string
	// NoCreate says why no function can be created with the runtime, and NoUpdate
	// why functions with it cannot be changed. Empty means that it is possible.
	NoCreate, NoUpdate string
}

// Runtimes is the catalogue of runtimes.
type Runtimes interface {
	// Runtime returns the runtime with a name, and whether it exists.
	Runtime(name string) (RuntimeInfo, bool)
	// CheckHandler returns an error if the handler is not valid in the language.
	CheckHandler(language, handler string) error
}

// Minter makes the text of tokens.
type Minter interface {
	// Mint returns the text of the token, signed with the namespace's key.
	Mint(Namespace, Token) (secret.String, error)
}

// Hasher hashes the values of secret variables. With the hash, a client can verify
// a known value.
type Hasher interface {
	Hash(context.Context, secret.String) (string, error)
}

// Sealer seals secrets for storage.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
}

// Config has the dependencies and limits of a Service. All fields but Names are
// required.
type Config struct {
	Store    Store
	Runtimes Runtimes
	Minter   Minter
	Hasher   Hasher
	Sealer   Sealer
	Limits   Limits
	// Domain is the suffix of the domain names of functions, after their first
	// label. "{region}" in it is replaced by the region.
	Domain string
	// APIHost is the public hostname of the API, which no function can have; empty for none.
	APIHost string
	// Names verifies the owners of hostnames of new domains. With nil, every
	// hostname is accepted.
	Names Names
	Now   func() time.Time
	// NewID returns a new UUID of version 4. NewSuffix returns the 8 random letters
	// and digits that make a slug unique.
	NewID     func() string
	NewSuffix func() string
}

// Service implements the operations on namespaces, functions, tokens, crons,
// triggers and domains, with all their rules. The methods are safe for concurrent use.
type Service struct{ config Config }

// NewService returns a Service. Returns an error if a required field is missing or the
// limits are not valid.
func NewService(c Config) (*Service, error) {
	var missing []error
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"Store", c.Store != nil},
		{"Runtimes", c.Runtimes != nil},
		{"Minter", c.Minter != nil},
		{"Hasher", c.Hasher != nil},
		{"Sealer", c.Sealer != nil},
		{"Domain", c.Domain != ""},
		{"Now", c.Now != nil},
		{"NewID", c.NewID != nil},
		{"NewSuffix", c.NewSuffix != nil},
	} {
		if !field.set {
			missing = append(missing, errors.New(field.name+" is required"))
		}
	}
	if err := errors.Join(append(missing, c.Limits.Validate())...); err != nil {
		return nil, fmt.Errorf("configure functions: %w", err)
	}
	return &Service{config: c}, nil
}

// Limits returns the limits of the service.
func (s *Service) Limits() Limits { return s.config.Limits }

// set assigns the value if it is given.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// given returns the value, or the default if it is nil.
func given[T int | time.Duration](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}
