package api

import (
	"net/http"
	"strings"

	"github.com/jeton-dev/jeton/internal/iam"
)

// A permission is an action on a type of resource that an endpoint requires. As an error it
// is the permission that the caller lacks.
type permission struct {
	action   iam.Action
	resource string
	// organization means that the API key must cover the organization of the server's first
	// project.
	organization bool
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

// writingGets maps the GET endpoints that require the permission to write to their
// resource: upload-url permits an upload of code, and issue-jwt creates a token.
var writingGets = map[string]string{
	"GET " + base + "/functions/{id}/upload-url": "functions_function",
	"GET " + base + "/issue-jwt":                 "functions_token",
}

// permissionFor returns the permission that the endpoint of a pattern requires: to read for
// GET, and to write for other methods. The resource is the product and the first noun of
// the path, such as "functions_namespace".
func permissionFor(pattern string) permission {
	if required, ok := insightPermissions[pattern]; ok {
		return required
	}
	if resource, ok := writingGets[pattern]; ok {
		return permission{action: iam.Write, resource: resource}
	}
	method, path, _ := strings.Cut(pattern, " ")
	action := iam.Write
	if method == http.MethodGet {
		action = iam.Read
	}
	// The remaining path is "/product/version/nouns/...".
	parts := strings.Split(strings.Replace(path, "/regions/{region}", "", 1), "/")
	noun := strings.ReplaceAll(strings.TrimSuffix(parts[3], "s"), "-", "_")
	return permission{action: action, resource: parts[1] + "_" + noun}
}
