package grammar

import (
	"regexp"
	"strings"
)

// The lengths of names, in bytes.
const (
	// MaxFunctionName is the longest name that leaves the domain name's first
	// label within the 63 characters of DNS.
	MaxFunctionName = 34
	// MaxNamespaceName bounds what is otherwise without a documented bound.
	MaxNamespaceName = 255
	// MaxAttachedName is the longest name of a cron or a trigger.
	MaxAttachedName = 100
	// MaxVariableName is the longest name of an environment variable.
	MaxVariableName = 100
	// MaxHostname is the longest name that DNS knows (RFC 1035, 2.3.4).
	MaxHostname = 253
)

var (
	namespaceName = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	functionName  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	variableName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	// hostname is that of RFC 1123, 2.1, with two labels at least.
	hostname = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// IsNamespaceName reports whether a namespace may have the name: letters, digits and
// hyphens, with a letter first and no hyphen last, at most MaxNamespaceName bytes.
func IsNamespaceName(name string) bool {
	return len(name) <= MaxNamespaceName && namespaceName.MatchString(name)
}

// IsFunctionName reports whether a function may have the name, whatever its length:
// lower-case letters, digits and hyphens, with no hyphen first or last.
func IsFunctionName(name string) bool {
	return functionName.MatchString(name)
}

// IsVariableName reports whether an environment variable may have the name, apart from
// reserved ones: letters, digits, "_", "." and "-", with a letter or "_" first, at most
// MaxVariableName bytes.
func IsVariableName(name string) bool {
	return len(name) <= MaxVariableName && variableName.MatchString(name)
}

// reserved are the variables that the platform sets, from Scaleway's documentation of
// 2026.
var reserved = map[string]bool{
	"SCW_APPLICATION_ID": true, "SCW_APPLICATION_NAME": true, "SCW_APPLICATION_MEMORY": true, "SCW_APPLICATION_VERSION": true,
	"SCW_NAMESPACE_ID": true, "SCW_PUBLIC": true, "SCW_PUBLIC_KEY": true, "SCW_PAYLOAD_MAX_SIZE": true,
	"SCW_HANDLER_NAME": true, "SCW_HANDLER_PATH": true, "SCW_HANDLER_IS_BINARY": true, "SCW_RUNTIME_BINARY": true,
	"SCW_RUNTIME_BRIDGE": true, "SCW_UPSTREAM_HOST": true, "SCW_UPSTREAM_PORT": true,
}

// IsReservedVariable reports whether the platform sets the variable itself, so that
// nobody else can.
func IsReservedVariable(name string) bool {
	return reserved[name]
}

// Hostname returns a hostname in the form in which it is kept, in lower case and
// without a dot at the end, and whether it is one: two labels at least, at most
// MaxHostname bytes.
func Hostname(text string) (string, bool) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	return name, len(name) <= MaxHostname && hostname.MatchString(name)
}

// IsSubject reports whether a text is a subject of NATS: names with dots between,
// without blanks, where "*" stands for one name and ">" at the end for all that follow.
// No message has a subject of another form.
func IsSubject(text string) bool {
	parts := strings.Split(text, ".")
	for i, part := range parts {
		if part == "" || part == ">" && i < len(parts)-1 || strings.ContainsAny(part, " \t\r\n\f") {
			return false
		}
	}
	return true
}
