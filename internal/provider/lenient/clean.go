package lenient

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// cleanBlock applies cleanAttribute to every attribute of a block and of its nested
// blocks. It reports whether the result differs from value.
func cleanBlock(block *tfprotov6.SchemaBlock, value tftypes.Value) (tftypes.Value, bool, error) {
	fields, err := fieldsOf(value)
	if err != nil || fields == nil {
		return value, false, err
	}
	cleaned, changed := maps.Clone(fields), false
	for _, attribute := range block.Attributes {
		field, differs, err := cleanAttribute(attribute, fields[attribute.Name])
		if err != nil {
			return value, false, err
		}
		cleaned[attribute.Name] = field
		changed = changed || differs
	}
	for _, nested := range block.BlockTypes {
		field, differs, err := eachBlock(nested, fields[nested.TypeName], func(_ int, v tftypes.Value) (tftypes.Value, bool, error) {
			return cleanBlock(nested.Block, v)
		})
		if err != nil {
			return value, false, err
		}
		cleaned[nested.TypeName] = field
		changed = changed || differs
	}
	if !changed {
		return value, false, nil
	}
	return tftypes.NewValue(value.Type(), cleaned), true, nil
}

// cleanAttribute returns null for an optional string that is "", an optional map
// without its null elements, and every other value unchanged. It reports whether the
// result differs from value.
func cleanAttribute(attribute *tfprotov6.SchemaAttribute, value tftypes.Value) (tftypes.Value, bool, error) {
	if !attribute.Optional || value.IsNull() || !value.IsKnown() || attribute.Type == nil {
		return value, false, nil
	}
	if attribute.Type.Is(tftypes.String) {
		var text string
		if err := value.As(&text); err != nil || text != "" {
			return value, false, err
		}
		return tftypes.NewValue(attribute.Type, nil), true, nil
	}
	if !attribute.Type.Is(tftypes.Map{}) {
		return value, false, nil
	}
	var elements map[string]tftypes.Value
	if err := value.As(&elements); err != nil {
		return value, false, err
	}
	set := maps.Clone(elements)
	maps.DeleteFunc(set, func(_ string, element tftypes.Value) bool { return element.IsNull() })
	if len(set) == len(elements) {
		return value, false, nil
	}
	return tftypes.NewValue(attribute.Type, set), true, nil
}

// propose returns the state that Terraform would propose for the cleaned
// configuration. For an attribute that cleaning makes null, that is the prior value
// if the attribute is computed, and null otherwise.
func propose(block *tfprotov6.SchemaBlock, config, proposed, prior tftypes.Value) (tftypes.Value, error) {
	fields, err := fieldsOf(proposed)
	if err != nil || fields == nil {
		return proposed, err
	}
	configured, err := fieldsOf(config)
	if err != nil {
		return proposed, err
	}
	before, err := fieldsOf(prior)
	if err != nil {
		return proposed, err
	}
	adjusted := maps.Clone(fields)
	for _, attribute := range block.Attributes {
		field, unset, err := cleanAttribute(attribute, configured[attribute.Name])
		if err != nil {
			return proposed, err
		}
		old, known := before[attribute.Name]
		switch {
		case !unset || attribute.WriteOnly:
		case field.IsNull() && attribute.Computed && known:
			adjusted[attribute.Name] = old
		default:
			adjusted[attribute.Name] = field
		}
	}
	for _, nested := range block.BlockTypes {
		configs, err := blocksOf(nested, configured[nested.TypeName])
		if err != nil {
			return proposed, err
		}
		olds, err := blocksOf(nested, before[nested.TypeName])
		if err != nil {
			return proposed, err
		}
		adjusted[nested.TypeName], _, err = eachBlock(nested, fields[nested.TypeName], func(i int, v tftypes.Value) (tftypes.Value, bool, error) {
			value, err := propose(nested.Block, at(configs, i, v.Type()), v, at(olds, i, v.Type()))
			return value, true, err
		})
		if err != nil {
			return proposed, err
		}
	}
	return tftypes.NewValue(proposed.Type(), adjusted), nil
}

// restoreUnset returns the result with the configured value of every attribute that
// cleaning changed.
func restoreUnset(block *tfprotov6.SchemaBlock, config, result *tfprotov6.DynamicValue) (*tfprotov6.DynamicValue, error) {
	form := block.ValueType()
	wanted, err := config.Unmarshal(form)
	if err != nil {
		return nil, err
	}
	opened, err := result.Unmarshal(form)
	if err != nil {
		return nil, err
	}
	configured, err := fieldsOf(wanted)
	if err != nil {
		return nil, err
	}
	fields, err := fieldsOf(opened)
	if err != nil || fields == nil {
		return result, err
	}
	for _, attribute := range block.Attributes {
		_, unset, err := cleanAttribute(attribute, configured[attribute.Name])
		if err != nil {
			return nil, err
		}
		if unset {
			fields[attribute.Name] = configured[attribute.Name]
		}
	}
	encoded, err := tfprotov6.NewDynamicValue(form, tftypes.NewValue(form, fields))
	return &encoded, err
}

// at returns the element of a list at an index, or null if the list is shorter.
func at(values []tftypes.Value, i int, form tftypes.Type) tftypes.Value {
	if i < len(values) {
		return values[i]
	}
	return tftypes.NewValue(form, nil)
}

// eachBlock replaces every block of a nested type by the result of change. It
// reports whether any block differs.
func eachBlock(nested *tfprotov6.SchemaNestedBlock, value tftypes.Value, change func(int, tftypes.Value) (tftypes.Value, bool, error)) (tftypes.Value, bool, error) {
	blocks, err := blocksOf(nested, value)
	if err != nil || len(blocks) == 0 {
		return value, false, err
	}
	changed := false
	adjusted := make([]tftypes.Value, len(blocks))
	for i, block := range blocks {
		var differs bool
		if adjusted[i], differs, err = change(i, block); err != nil {
			return value, false, err
		}
		changed = changed || differs
	}
	if nested.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle {
		return adjusted[0], changed, nil
	}
	return tftypes.NewValue(value.Type(), adjusted), changed, nil
}

// blocksOf returns the blocks of a nested type: at most one for a single block, and
// the elements of a list. It returns nil for other nesting modes, whose blocks have
// no stable order.
func blocksOf(nested *tfprotov6.SchemaNestedBlock, value tftypes.Value) ([]tftypes.Value, error) {
	if value.IsNull() || !value.IsKnown() {
		return nil, nil
	}
	switch nested.Nesting {
	case tfprotov6.SchemaNestedBlockNestingModeSingle:
		return []tftypes.Value{value}, nil
	case tfprotov6.SchemaNestedBlockNestingModeList:
		var blocks []tftypes.Value
		err := value.As(&blocks)
		return blocks, err
	default:
		return nil, nil
	}
}

// fieldsOf returns the attributes of an object, or nil if it is null or unknown.
func fieldsOf(value tftypes.Value) (map[string]tftypes.Value, error) {
	if value.Type() == nil || value.IsNull() || !value.IsKnown() {
		return nil, nil
	}
	var fields map[string]tftypes.Value
	err := value.As(&fields)
	return fields, err
}
