package functions

import (
	"strings"
	"unicode/utf8"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/secret"
)

// A SecretVariable is a variable whose value is never given back. Hash is the
// argon2id hash of the value, by which a client can tell whether it knows the
// value; it stays the same until the variable is written again.
type SecretVariable struct {
	Key    string
	Hash   string
	Sealed []byte
}

// A SecretChange sets a secret variable or, where Value is nil, removes it.
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
			return malformed("environment_variables", "the value of %s has a NUL byte in it", name)
		}
	}
	return nil
}

func validSecrets(changes []SecretChange, limits Limits) error {
	const argument = "secret_environment_variables"
	// Each change costs a hash, which takes long by design. Removals come on
	// top of what may be there.
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
			return malformed(argument, "the value of %s has a NUL byte in it", change.Key)
		}
	}
	return nil
}

func validVariableName(argument, name string) error {
	switch {
	case !grammar.IsVariableName(name):
		return malformed(argument, "%.120q is no name for a variable: use up to %d letters, digits, '_', '-' and '.', beginning with a letter or '_'", name, grammar.MaxVariableName)
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
