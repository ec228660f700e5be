package lenient

import (
	"bytes"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Attributes that the comparison treats specially. They mean the same in all
// resources of the official provider.
const (
	idName       = "id"
	regionName   = "region"
	timeoutsName = "timeouts"
)

// equivalent reports whether a plan differs from the prior state, but only in
// representation: null, "" and an empty collection are all unset, a null region is
// the region of the id, and timeouts are ignored.
func equivalent(block *tfprotov6.SchemaBlock, prior *tfprotov6.DynamicValue, resp *tfprotov6.PlanResourceChangeResponse) (bool, error) {
	if prior == nil || resp.PlannedState == nil || len(resp.RequiresReplace) > 0 || resp.Deferred != nil {
		return false, nil
	}
	if bytes.Equal(prior.MsgPack, resp.PlannedState.MsgPack) {
		return false, nil // The plan is the prior state.
	}
	form := block.ValueType()
	before, err := prior.Unmarshal(form)
	if err != nil {
		return false, err
	}
	after, err := resp.PlannedState.Unmarshal(form)
	if err != nil || before.IsNull() || after.IsNull() || before.Equal(after) {
		return false, err
	}
	old, err := fieldsOf(before)
	if err != nil {
		return false, err
	}
	return sameFields(before, after, regionOf(old[idName]))
}

// sameFields compares two objects. Region replaces a null region of the first.
func sameFields(before, after tftypes.Value, region string) (bool, error) {
	old, err := fieldsOf(before)
	if err != nil {
		return false, err
	}
	planned, err := fieldsOf(after)
	if err != nil {
		return false, err
	}
	for name, value := range planned {
		if name == timeoutsName {
			continue
		}
		prior := old[name]
		if name == regionName && region != "" && value.IsKnown() && isUnset(prior) {
			prior = tftypes.NewValue(tftypes.String, region)
		}
		same, err := sameValue(prior, value, region)
		if err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func sameValue(before, after tftypes.Value, region string) (bool, error) {
	switch {
	case !after.IsKnown():
		return false, nil
	case before.Equal(after) || (isUnset(before) && isUnset(after)):
		return true, nil
	case before.IsNull() || after.IsNull() || !after.Type().Is(tftypes.List{}):
		return false, nil
	}
	var olds, planned []tftypes.Value
	if err := before.As(&olds); err != nil {
		return false, err
	}
	if err := after.As(&planned); err != nil {
		return false, err
	}
	if len(olds) != len(planned) {
		return false, nil
	}
	for i := range planned {
		if !planned[i].Type().Is(tftypes.Object{}) || !planned[i].IsKnown() || planned[i].IsNull() || olds[i].IsNull() {
			return false, nil
		}
		if same, err := sameFields(olds[i], planned[i], region); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// SameUnset reports whether both values are unset: null, "" or an empty collection.
func SameUnset(a, b *tftypes.Value) bool {
	return (a == nil || isUnset(*a)) && (b == nil || isUnset(*b))
}

// isUnset reports whether a value is null, "" or an empty collection.
func isUnset(value tftypes.Value) bool {
	if value.Type() == nil || value.IsNull() {
		return true
	}
	if !value.IsKnown() {
		return false
	}
	switch form := value.Type(); {
	case form.Is(tftypes.String):
		var text string
		return value.As(&text) == nil && text == ""
	case form.Is(tftypes.List{}):
		var elements []tftypes.Value
		return value.As(&elements) == nil && len(elements) == 0
	case form.Is(tftypes.Map{}):
		var elements map[string]tftypes.Value
		return value.As(&elements) == nil && len(elements) == 0
	default:
		return false
	}
}

// regionOf returns the region of an id of the form region/uuid, or "".
func regionOf(id tftypes.Value) string {
	var text string
	if id.Type() == nil || id.IsNull() || !id.IsKnown() || id.As(&text) != nil {
		return ""
	}
	region, _, found := strings.Cut(text, "/")
	if !found {
		return ""
	}
	return region
}
