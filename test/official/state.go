package official

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Values are the attributes of an object in a state.
type Values map[string]any

// Arguments are the arguments of a resource in a configuration: names and expressions.
type Arguments map[string]string

// Object is an existing object, as a configuration and as a state of the official
// provider. Attributes that State does not contain are null.
type Object struct {
	Type      string
	Arguments Arguments
	State     Values
}

// blockStart begins an argument that is a block.
const blockStart = "{\n"

// With returns the object with some arguments and some values of its state replaced.
func (o Object) With(arguments Arguments, state Values) Object {
	o.Arguments, o.State = maps.Clone(o.Arguments), maps.Clone(o.State)
	maps.Copy(o.Arguments, arguments)
	maps.Copy(o.State, state)
	return o
}

// Configuration returns the resource with a name as HCL.
func (o Object) Configuration(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q %q {\n", o.Type, name)
	for _, argument := range slices.Sorted(maps.Keys(o.Arguments)) {
		assignment := "="
		if strings.HasPrefix(o.Arguments[argument], blockStart) {
			assignment = ""
		}
		fmt.Fprintf(&b, "  %s %s %s\n", argument, assignment, o.Arguments[argument])
	}
	b.WriteString("}\n")
	return b.String()
}

// Requiring returns a configuration that sets the source of the provider.
func Requiring(source string) string {
	return fmt.Sprintf("terraform {\n  required_providers {\n    scaleway = { source = %q }\n  }\n}\n", source)
}

// private returns the private data that terraform-plugin-sdk/v2 stores with a resource:
// the timeouts in nanoseconds under its own key, or null if the type has no timeouts.
func private(typeName string) string {
	const timeouts = `{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":%[1]d,"default":%[1]d,"delete":%[1]d,"read":%[1]d,"update":%[1]d}}`
	const minute = 60_000_000_000
	switch typeName {
	case NamespaceType, CronType:
		return fmt.Sprintf(timeouts, 5*minute)
	case FunctionType, DomainType, TriggerType:
		return fmt.Sprintf(timeouts, 15*minute)
	default:
		return "null"
	}
}

// State returns a state file with the objects by name.
func State(objects map[string]Object) (string, error) {
	schema, err := ReadSchema()
	if err != nil {
		return "", err
	}
	var resources []any
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		object := objects[name]
		attributes, sensitive := Values{}, []any{}
		for attribute, described := range schema.Resources[object.Type].Attributes {
			attributes[attribute] = nil
			if described.Sensitive {
				sensitive = append(sensitive, []any{Values{"type": "get_attr", "value": attribute}})
			}
		}
		for block := range schema.Resources[object.Type].Blocks {
			attributes[block] = []any{}
		}
		if schema.Resources[object.Type].Timeouts != nil {
			attributes["timeouts"] = nil
		}
		maps.Copy(attributes, object.State)
		resources = append(resources, Values{
			"mode": "managed", "type": object.Type, "name": name,
			"provider": `provider["registry.terraform.io/` + Address + `"]`,
			"instances": []any{Values{
				"schema_version": 0, "attributes": attributes,
				"sensitive_attributes": sensitive, "private": []byte(private(object.Type)),
			}},
		})
	}
	state, err := json.Marshal(Values{
		"version": 4, "terraform_version": "1.11.4", "serial": 5, "lineage": "162766d7-3381-f135-c0f9-7a5b226334b0",
		"outputs": Values{}, "resources": resources, "check_results": nil,
	})
	return string(state), err
}
