package functions

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/secret"
)

// RuntimeInfo is what the service must know of a runtime.
type RuntimeInfo struct {
	Name           string
	Language       string
	DefaultHandler string
	// NoCreate says why no function can be made with the runtime, and NoUpdate
	// why none that has it can be changed; empty where one can.
	NoCreate, NoUpdate string
}

// Runtimes is the catalogue of runtimes.
type Runtimes interface {
	// Runtime returns the runtime of that name, and whether there is one.
	Runtime(name string) (RuntimeInfo, bool)
	// CheckHandler tells what is wrong with a handler for a language.
	CheckHandler(language, handler string) error
}

// Minter makes the text of tokens.
type Minter interface {
	// Mint returns the text of the token, signed with the namespace's key.
	Mint(Namespace, Token) (secret.String, error)
}

// Hasher hashes the values of secret variables, so that a client that knows
// the value can verify it.
type Hasher interface {
	Hash(context.Context, secret.String) (string, error)
}

// Sealer seals secrets for keeping.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
}

// VariablePurpose is what the value of a secret variable is sealed for.
func VariablePurpose(key string) string { return "secret environment variable " + key }

// Service is the control plane's one door: every rule of namespaces, functions,
// tokens, crons, triggers and domains is behind its methods. All fields but Names must be set.
type Service struct {
	Store    Store
	Runtimes Runtimes
	Minter   Minter
	Hasher   Hasher
	Sealer   Sealer
	Limits   Limits
	// Domain is what follows the first label in the domain name of a function;
	// "{region}" in it stands for the region.
	Domain string
	// Names checks who owns the hostnames of new domains; nil accepts all.
	Names Names
	Now   func() time.Time
	// NewID returns a new UUID of version 4; NewSuffix the 8 random letters
	// and digits that make a slug unique.
	NewID     func() string
	NewSuffix func() string
}

// get runs one read of one object.
func get[T any](ctx context.Context, store Store, read func(Tx) (T, error)) (T, error) {
	var found T
	err := store.View(ctx, func(tx Tx) (err error) {
		found, err = read(tx)
		return err
	})
	return found, err
}

// change runs one write and returns the object that it leaves behind.
func change[T any](ctx context.Context, store Store, write func(Tx) (T, error)) (T, error) {
	var changed T
	err := store.Update(ctx, func(tx Tx) (err error) {
		changed, err = write(tx)
		return err
	})
	return changed, err
}

// sealSecrets prepares secret changes outside of any transaction, because
// hashing takes long by design.
func (s *Service) sealSecrets(ctx context.Context, changes []SecretChange) ([]SecretVariable, error) {
	sealed := make([]SecretVariable, 0, len(changes))
	for _, change := range changes {
		variable := SecretVariable{Key: change.Key}
		if change.Value != nil {
			hash, err := s.Hasher.Hash(ctx, *change.Value)
			if err != nil {
				return nil, err
			}
			variable.Hash = hash
			variable.Sealed = s.Sealer.Seal([]byte(change.Value.Reveal()), VariablePurpose(change.Key))
		}
		sealed = append(sealed, variable)
	}
	return sealed, nil
}

// mergeSecrets puts changed variables into those that are there; one without
// a sealed value removes its key.
func (s *Service) mergeSecrets(current, changed []SecretVariable) ([]SecretVariable, error) {
	merged := make([]SecretVariable, 0, len(current)+len(changed))
	for _, variable := range current {
		if !containsKey(changed, variable.Key) {
			merged = append(merged, variable)
		}
	}
	for _, variable := range changed {
		if variable.Sealed != nil {
			merged = append(merged, variable)
		}
	}
	if len(merged) > s.Limits.Variables {
		return nil, quotaExceeded("secret environment variable", s.Limits.Variables, len(merged))
	}
	return merged, nil
}

func containsKey(variables []SecretVariable, key string) bool {
	for _, variable := range variables {
		if variable.Key == key {
			return true
		}
	}
	return false
}
