package api

import (
	"net/http"
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
// what is got, to write all else. The resource is the product and the first noun
// of the path, as in "functions_namespace".
func permissionFor(pattern string) permission {
	method, path, _ := strings.Cut(pattern, " ")
	// What is left is "/product/version/nouns/...".
	parts := strings.Split(strings.Replace(path, "/regions/{region}", "", 1), "/")
	noun := strings.ReplaceAll(strings.TrimSuffix(parts[3], "s"), "-", "_")
	needed := permission{iam.Write, parts[1] + "_" + noun}
	if method != http.MethodGet {
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
