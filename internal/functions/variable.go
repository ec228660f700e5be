package functions

import (
	"regexp"
	"strings"
	"unicode/utf8"

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
	maxVariableName = 100
	maxTags         = 100
	maxTag          = 1000
)

// reservedNames are the variables that the platform sets itself. Scaleway
// reserves all names that begin with SCW_; its own examples set others of them,
// such as SCW_SECRET_KEY.
var reservedNames = map[string]bool{
	"SCW_PUBLIC": true, "SCW_PUBLIC_KEY": true, "SCW_NAMESPACE_ID": true,
	"SCW_APPLICATION_ID": true, "SCW_APPLICATION_NAME": true, "SCW_APPLICATION_VERSION": true, "SCW_APPLICATION_MEMORY": true,
	"SCW_HANDLER_NAME": true, "SCW_HANDLER_PATH": true, "SCW_HANDLER_IS_BINARY": true,
	"SCW_RUNTIME_BINARY": true, "SCW_RUNTIME_BRIDGE": true,
	"SCW_UPSTREAM_HOST": true, "SCW_UPSTREAM_PORT": true, "SCW_PAYLOAD_MAX_SIZE": true,
}

// Reserved reports whether the platform sets the variable of that name itself.
func Reserved(name string) bool { return reservedNames[name] }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

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
	case len(name) > maxVariableName || !variableName.MatchString(name):
		return malformed(argument, "%.120q is no name for a variable: use up to %d letters, digits, '_', '-' and '.', beginning with a letter or '_'", name, maxVariableName)
	case Reserved(name):
		return outOfBounds(argument, "%s is set by the platform: choose another name", name)
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
