package grammar

import (
	"regexp"
	"strings"
)

// The maximum lengths of names, in bytes.
const (
	// MaxFunctionName keeps the first label of a function's domain name within the 63
	// characters that DNS allows.
	MaxFunctionName = 34
	// MaxNamespaceName is Jeton's own limit; Scaleway documents none.
	MaxNamespaceName = 255
	// MaxAttachedName is the limit for crons and triggers.
	MaxAttachedName = 100
	// MaxVariableName is the limit for environment variables.
	MaxVariableName = 100
	// MaxHostname is the limit of DNS (RFC 1035, 2.3.4).
	MaxHostname = 253
)

var (
	namespaceName = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	functionName  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	variableName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	// hostname matches RFC 1123, 2.1, with at least two labels.
	hostname = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// IsNamespaceName reports whether name is a valid namespace name: letters, digits and
// hyphens, starting with a letter and not ending with a hyphen, at most MaxNamespaceName
// bytes.
func IsNamespaceName(name string) bool {
	return len(name) <= MaxNamespaceName && namespaceName.MatchString(name)
}

// IsFunctionName reports whether name is a valid function name of any length: lower-case
// letters, digits and hyphens, with no hyphen first or last.
func IsFunctionName(name string) bool {
	return functionName.MatchString(name)
}

// IsVariableName reports whether name is a valid name of an environment variable: letters,
// digits, "_", "." and "-", starting with a letter or "_", at most MaxVariableName bytes.
// It does not check for reserved names.
func IsVariableName(name string) bool {
	return len(name) <= MaxVariableName && variableName.MatchString(name)
}

// reserved has the variables that the platform sets (Scaleway's documentation of 2026).
var reserved = map[string]bool{
	"SCW_APPLICATION_ID": true, "SCW_APPLICATION_NAME": true, "SCW_APPLICATION_MEMORY": true, "SCW_APPLICATION_VERSION": true,
	"SCW_NAMESPACE_ID": true, "SCW_PUBLIC": true, "SCW_PUBLIC_KEY": true, "SCW_PAYLOAD_MAX_SIZE": true,
	"SCW_HANDLER_NAME": true, "SCW_HANDLER_PATH": true, "SCW_HANDLER_IS_BINARY": true, "SCW_RUNTIME_BINARY": true,
	"SCW_RUNTIME_BRIDGE": true, "SCW_UPSTREAM_HOST": true, "SCW_UPSTREAM_PORT": true,
}

// IsReservedVariable reports whether the platform sets the variable, so that users
// cannot.
func IsReservedVariable(name string) bool {
	return reserved[name]
}

// Hostname returns a hostname in its normal form, in lower case and without a dot at the
// end, and reports whether it is valid: at least two labels, at most MaxHostname bytes.
func Hostname(text string) (string, bool) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	return name, len(name) <= MaxHostname && hostname.MatchString(name)
}

// IsSubject reports whether text is a valid NATS subject: tokens without white space,
// separated by dots, where "*" matches one token and ">" at the end matches one or more.
func IsSubject(text string) bool {
	parts := strings.Split(text, ".")
	for i, part := range parts {
		if part == "" || part == ">" && i < len(parts)-1 || strings.ContainsAny(part, " \t\r\n\f") {
			return false
		}
	}
	return true
}
