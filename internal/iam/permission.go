package iam

import "slices"

// The permission sets, by Scaleway's names.
const (
	// FullAccess allows everything.
	FullAccess = "FunctionsFullAccess"
	// ReadOnly allows to look at everything, and to change and call nothing.
	ReadOnly = "FunctionsReadOnly"
	// PrivateAccess allows to call the project's private functions, and nothing
	// at the control plane.
	PrivateAccess = "FunctionsPrivateAccess"
)

// PermissionSets are all of them.
var PermissionSets = []string{FullAccess, ReadOnly, PrivateAccess}

// An Action is something that a permission set allows.
type Action string

// The actions: to look at and to change objects at the control plane, and to
// call private functions.
const (
	Read  Action = "read"
	Write Action = "write"
	Call  Action = "call"
)

// allowed holds what each permission set allows. One that is not known, such as
// that of another of Scaleway's products, allows nothing.
var allowed = map[string][]Action{
	FullAccess:    {Read, Write, Call},
	ReadOnly:      {Read},
	PrivateAccess: {Call},
}

// May tells whether the key's permission sets allow an action on the objects of
// its project.
func (k APIKey) May(action Action) bool {
	for _, set := range k.Permissions {
		if slices.Contains(allowed[set], action) {
			return true
		}
	}
	return false
}
