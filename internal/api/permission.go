package api

import (
	"strings"

	"github.com/jeton-dev/jeton/internal/iam"
)

// A permission is what a caller needs for an endpoint; as an error, what the
// caller has not.
type permission struct {
	action   iam.Action
	resource string
}

const insufficientPermissions = "insufficient permissions"

// Error implements error.
func (p permission) Error() string {
	return insufficientPermissions + ": " + string(p.action) + " " + p.resource
}

func (p permission) denied(text string) deniedPermission {
	return deniedPermission{
		Details: []deniedAction{{Action: p.action, Resource: p.resource}}, Message: text, Type: "permissions_denied",
	}
}

// changing are the endpoints that are asked with GET and nevertheless let the
// caller change something: what is put at an upload-url becomes a function's
// code.
var changing = []string{"/upload-url"}

// permissionFor is what the endpoint of a pattern asks of its callers: to read
// what is got, to write all else. The resource is named after the first noun of
// the path, as in "functions_namespace".
func permissionFor(pattern string) permission {
	method, path, _ := strings.Cut(pattern, " ")
	noun, _, _ := strings.Cut(strings.TrimPrefix(path, base+"/"), "/")
	needed := permission{iam.Write, "functions_" + strings.TrimSuffix(noun, "s")}
	if method != "GET" {
		return needed
	}
	for _, end := range changing {
		if strings.HasSuffix(path, end) {
			return needed
		}
	}
	needed.action = iam.Read
	return needed
}
