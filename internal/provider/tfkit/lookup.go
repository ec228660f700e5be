package tfkit

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// Lookup finds an object by its name in a list.
type Lookup[T any] struct {
	// Noun is the type of the object and Place where it is looked up, for messages.
	Noun, Place string
	Name        string
	NameOf      func(*T) string
	// Ambiguous is what to do if several objects have the name, for a message.
	Ambiguous string
}

// In returns the only object of the list with the name. It adds an error and returns
// nil if there is none or more than one. The list may contain objects with other
// names, because the service's filter is not exact.
func (l Lookup[T]) In(list []*T, diags *diag.Diagnostics) *T {
	var found []*T
	for _, candidate := range list {
		if candidate != nil && l.NameOf(candidate) == l.Name {
			found = append(found, candidate)
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		diags.AddAttributeError(path.Root("name"), "No such "+l.Noun,
			fmt.Sprintf("There is no %s with the name %s in %s: correct the name, or the place to look it up in.", l.Noun, Quote(l.Name), l.Place))
	default:
		diags.AddAttributeError(path.Root("name"), "Ambiguous "+l.Noun+" name",
			fmt.Sprintf("There are %d %ss with the name %s in %s: %s.", len(found), l.Noun, Quote(l.Name), l.Place, l.Ambiguous))
	}
	return nil
}
