package functions

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/secret"
)

// A SecretVariable is a variable whose value is never returned. Hash is the argon2id
// hash of the value, with which a client can verify a known value. It stays the same
// until the variable is written again.
type SecretVariable struct {
	Key    string
	Hash   string
	Sealed []byte
}

// VariablePurpose returns the purpose for which the value of a secret variable is
// sealed.
func VariablePurpose(key string) string { return "secret environment variable " + key }

// A SecretChange sets a secret variable, or removes it if Value is nil.
type SecretChange struct {
	Key   string
	Value *secret.String
}

const (
	maxTags = 100
	maxTag  = 1000
)

func validVariables(variables map[string]string, limits Limits) error {
	if len(variables) > limits.Variables {
		return quotaExceeded("environment variable", limits.Variables, len(variables))
	}
	for name, value := range variables {
		if err := validVariableName("environment_variables", name); err != nil {
			return err
		}
		if utf8.RuneCountInString(value) > limits.VariableSize {
			return outOfBounds("environment_variables", "the value of %s must be at most %d characters, is %d", name, limits.VariableSize, utf8.RuneCountInString(value))
		}
		if strings.ContainsRune(value, 0) {
			return malformed("environment_variables", "the value of %s contains a NUL byte", name)
		}
	}
	return nil
}

func validSecrets(changes []SecretChange, limits Limits) error {
	const argument = "secret_environment_variables"
	// Each change costs a hash, which is slow by design. One request may remove all
	// variables and set as many others.
	if len(changes) > 2*limits.Variables {
		return quotaExceeded("secret environment variable", limits.Variables, len(changes))
	}
	given := map[string]bool{}
	for _, change := range changes {
		if err := validVariableName(argument, change.Key); err != nil {
			return err
		}
		if given[change.Key] {
			return malformed(argument, "%s is given twice", change.Key)
		}
		given[change.Key] = true
		if change.Value == nil {
			continue
		}
		if size := len(change.Value.Reveal()); size > limits.SecretSize {
			return outOfBounds(argument, "the value of %s must be at most %d bytes, is %d", change.Key, limits.SecretSize, size)
		}
		if strings.ContainsRune(change.Value.Reveal(), 0) {
			return malformed(argument, "the value of %s contains a NUL byte", change.Key)
		}
	}
	return nil
}

func validVariableName(argument, name string) error {
	switch {
	case !grammar.IsVariableName(name):
		return malformed(argument, "%.120q is not a valid name: use up to %d letters, digits, '_', '-' and '.', starting with a letter or '_'", name, grammar.MaxVariableName)
	case grammar.IsReservedVariable(name):
		return outOfBounds(argument, "%s is reserved: the platform sets it, choose another name", name)
	}
	return nil
}

func validTags(tags []string) error {
	if len(tags) > maxTags {
		return outOfBounds("tags", "at most %d tags", maxTags)
	}
	for _, tag := range tags {
		if len(tag) > maxTag {
			return outOfBounds("tags", "a tag must be at most %d bytes, one has %d", maxTag, len(tag))
		}
	}
	return nil
}

func validDescription(text string) error {
	if len(text) > maxDescription {
		return outOfBounds("description", "must be at most %d bytes, is %d", maxDescription, len(text))
	}
	return nil
}

// sealSecrets hashes and seals changed values. It runs outside of transactions,
// because hashing is slow by design.
func (s *Service) sealSecrets(ctx context.Context, changes []SecretChange) ([]SecretVariable, error) {
	sealed := make([]SecretVariable, 0, len(changes))
	for _, change := range changes {
		variable := SecretVariable{Key: change.Key}
		if change.Value != nil {
			hash, err := s.config.Hasher.Hash(ctx, *change.Value)
			if err != nil {
				return nil, err
			}
			variable.Hash = hash
			variable.Sealed = s.config.Sealer.Seal([]byte(change.Value.Reveal()), VariablePurpose(change.Key))
		}
		sealed = append(sealed, variable)
	}
	return sealed, nil
}

// mergeSecrets applies changed variables to the current ones. A changed variable
// without a sealed value removes its key.
func (s *Service) mergeSecrets(current, changed []SecretVariable) ([]SecretVariable, error) {
	merged := make([]SecretVariable, 0, len(current)+len(changed))
	for _, variable := range current {
		if !slices.ContainsFunc(changed, func(c SecretVariable) bool { return c.Key == variable.Key }) {
			merged = append(merged, variable)
		}
	}
	for _, variable := range changed {
		if variable.Sealed != nil {
			merged = append(merged, variable)
		}
	}
	if len(merged) > s.config.Limits.Variables {
		return nil, quotaExceeded("secret environment variable", s.config.Limits.Variables, len(merged))
	}
	return merged, nil
}
