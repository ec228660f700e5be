package iam

import "slices"

// The permission sets, with Scaleway's names.
const (
	// FullAccess allows all actions.
	FullAccess = "FunctionsFullAccess"
	// ReadOnly allows Read only.
	ReadOnly = "FunctionsReadOnly"
	// PrivateAccess allows Call only.
	PrivateAccess = "FunctionsPrivateAccess"
)

// PermissionSets lists the names of all permission sets.
var PermissionSets = []string{FullAccess, ReadOnly, PrivateAccess}

// An Action is an operation that a permission set allows or denies.
type Action string

// The actions: Read and Write objects through the API, and Call private functions.
const (
	Read  Action = "read"
	Write Action = "write"
	Call  Action = "call"
)

// allowed maps permission sets to the actions that they allow. Unknown sets, such as those
// of other Scaleway products, allow nothing.
var allowed = map[string][]Action{
	FullAccess:    {Read, Write, Call},
	ReadOnly:      {Read},
	PrivateAccess: {Call},
}

// May reports whether a permission set of the key allows the action on the objects of the
// key's projects.
func (k APIKey) May(action Action) bool {
	for _, set := range k.Permissions {
		if slices.Contains(allowed[set], action) {
			return true
		}
	}
	return false
}
