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
// caller change something, with what that is: what is put at an upload-url
// becomes a function's code, and issue-jwt makes a token.
var changing = map[string]string{
	"GET " + base + "/functions/{id}/upload-url": "functions_function",
	"GET " + base + "/issue-jwt":                 "functions_token",
}

// permissionFor is what the endpoint of a pattern asks of its callers: to read
// what is got, to write all else. The resource is the product and the first noun
// of the path, as in "functions_namespace".
func permissionFor(pattern string) permission {
	if resource, ok := changing[pattern]; ok {
		return permission{iam.Write, resource}
	}
	method, path, _ := strings.Cut(pattern, " ")
	action := iam.Write
	if method == http.MethodGet {
		action = iam.Read
	}
	// What is left is "/product/version/nouns/...".
	parts := strings.Split(strings.Replace(path, "/regions/{region}", "", 1), "/")
	noun := strings.ReplaceAll(strings.TrimSuffix(parts[3], "s"), "-", "_")
	return permission{action, parts[1] + "_" + noun}
}
