package functions

import (
	"slices"
	"strings"
)

func (i *importing) checkSecrets(secrets []ImportedSecret) error {
	const argument = "secret_environment_variables"
	changes := make([]SecretChange, len(secrets))
	for n, s := range secrets {
		changes[n] = SecretChange{Key: s.Key, Value: s.Value}
		if s.Hash == "" || len(s.Hash) > maxHash {
			return malformed(argument, "the hash of %.120q is not an argon2id hash", s.Key)
		}
	}
	if len(secrets) > i.config.Limits.Variables {
		return quotaExceeded("secret environment variable", i.config.Limits.Variables, len(secrets))
	}
	return validSecrets(changes, i.config.Limits)
}

// secrets returns the variables of the source. A value that is not given is kept, also if
// the hash of the source is another one: it may have been set here. kept has the names of
// these variables.
func (i *importing) secrets(current []SecretVariable, given []ImportedSecret) (all []SecretVariable, kept []string) {
	for _, s := range given {
		variable := SecretVariable{Key: s.Key, Hash: s.Hash}
		known := slices.IndexFunc(current, func(c SecretVariable) bool { return c.Key == s.Key && c.Sealed != nil })
		switch {
		case known >= 0 && current[known].Hash == s.Hash:
			variable = current[known]
		case s.Value != nil:
			variable.Sealed = i.config.Sealer.Seal([]byte(s.Value.Reveal()), VariablePurpose(s.Key))
		case known >= 0:
			variable = current[known]
			kept = append(kept, s.Key)
		}
		all = append(all, variable)
	}
	return all, kept
}

// keptText returns a text for the user that names variables whose values were kept; empty
// if there are none.
func keptText(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "secret environment variables differ from the source: " + strings.Join(names, ", ") +
		": their values here were kept; import them with --secrets to replace them"
}

// joinReasons returns both texts, of which each may be empty.
func joinReasons(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// sameSecrets reports whether two lists of variables have the same values.
func sameSecrets(a, b []SecretVariable) bool {
	return slices.EqualFunc(a, b, func(a, b SecretVariable) bool {
		return a.Key == b.Key && a.Hash == b.Hash && (a.Sealed == nil) == (b.Sealed == nil)
	})
}

// missingSecrets returns the names of imported secret variables whose values are not
// known. They are the only variables without a sealed value.
func missingSecrets(secrets []SecretVariable) []string {
	var missing []string
	for _, s := range secrets {
		if s.Sealed == nil {
			missing = append(missing, s.Key)
		}
	}
	return missing
}

func missingText(names []string) string {
	return "the values of secret environment variables are missing: " + strings.Join(names, ", ") +
		": set them, or import them with --secrets"
}

// MissingSecrets returns a text for the user that names the secret variables of the
// function and its namespace whose values were not imported; empty if there are none. The
// function cannot be deployed without them.
func (f Function) MissingSecrets(n Namespace) string {
	missing := missingSecrets(f.Secrets)
	for _, name := range missingSecrets(n.Secrets) {
		// A variable of the function overrides the namespace's.
		_, plain := f.Variables[name]
		if !plain && !slices.ContainsFunc(f.Secrets, func(s SecretVariable) bool { return s.Key == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return missingText(missing)
}
