package tfkit

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// Lookup is how an object that a data source looks up by its name is found among
// those that the service lists.
type Lookup[T any] struct {
	// noun says what is looked for, and place where; they are for messages.
	Noun, Place string
	Name        string
	NameOf      func(*T) string
	// several says what to write where more than one has the name.
	Ambiguous string
}

// In returns the only object of the list that has the name, and reports where
// there is none or more than one: the service's filter may let other names pass.
func (n Lookup[T]) In(list []*T, diags *diag.Diagnostics) *T {
	var found []*T
	for _, candidate := range list {
		if candidate != nil && n.NameOf(candidate) == n.Name {
			found = append(found, candidate)
		}
	}
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		diags.AddAttributeError(path.Root("name"), "No such "+n.Noun,
			fmt.Sprintf("No %s with the name %s was found in %s: correct the name, or look elsewhere.", n.Noun, Quote(n.Name), n.Place))
	default:
		diags.AddAttributeError(path.Root("name"), "More than one such "+n.Noun,
			fmt.Sprintf("%d of the name %s were found in %s: %s.", len(found), Quote(n.Name), n.Place, n.Ambiguous))
	}
	return nil
}
