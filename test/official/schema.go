package official

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Address is the official provider's address in the registries.
const Address = "scaleway/scaleway"

// The resource types of the states.
const (
	NamespaceType = "scaleway_function_namespace"
	FunctionType  = "scaleway_function"
	TokenType     = "scaleway_function_token"
	CronType      = "scaleway_function_cron"
	DomainType    = "scaleway_function_domain"
	TriggerType   = "scaleway_function_trigger"
)

// Schema is the schema of the official provider's resources and data sources. All have
// schema version 0.
type Schema struct {
	Resources   map[string]Type `json:"resources"`
	DataSources map[string]Type `json:"data_sources"`
}

// Type is a resource or a data source.
type Type struct {
	Attributes map[string]Attribute `json:"attributes"`
	// Blocks are the types of the blocks except timeouts. A state contains them as
	// attributes; a missing block is an empty list.
	Blocks map[string]json.RawMessage `json:"blocks"`
	// Timeouts are the operations of the timeouts block, if there is one.
	Timeouts []string `json:"timeouts"`
}

// Attribute is an attribute of a type.
type Attribute struct {
	// Notation is the type of the values in Terraform's JSON notation.
	Notation  json.RawMessage `json:"type"`
	Required  bool            `json:"required"`
	Optional  bool            `json:"optional"`
	Computed  bool            `json:"computed"`
	Sensitive bool            `json:"sensitive"`
}

//go:embed schema.json
var schemaJSON []byte

// ReadSchema returns the schema.
func ReadSchema() (Schema, error) {
	var schema Schema
	if err := json.Unmarshal(schemaJSON, &schema); err != nil {
		return Schema{}, fmt.Errorf("read the official schema: %w", err)
	}
	return schema, nil
}

// ValueType returns the type of the attribute's values.
func (a Attribute) ValueType() (tftypes.Type, error) {
	//nolint:staticcheck // There is no other parser of Terraform's type notation.
	return tftypes.ParseJSONType(a.Notation)
}

// Unreadable returns a problem for each attribute of a state that the official provider
// cannot read, and for each missing one. terraform-plugin-sdk/v2 ignores unknown
// attributes, and fails if an attribute has another type.
func (o Type) Unreadable(attributes map[string]json.RawMessage) []string {
	var problems []string
	for name, described := range o.Attributes {
		text, ok := attributes[name]
		switch {
		case !ok:
			problems = append(problems, name+" is missing")
		case string(text) != "null":
			if err := described.reads(text); err != nil {
				problems = append(problems, fmt.Sprintf("%s cannot be read: %v", name, err))
			}
		case described.Required:
			problems = append(problems, name+" is required and null")
		}
	}
	for name, notation := range o.Blocks {
		if err := (Attribute{Notation: notation}).reads(attributes[name]); err != nil {
			problems = append(problems, fmt.Sprintf("%s cannot be read: %v", name, err))
		}
	}
	if o.Timeouts == nil {
		return problems
	}
	var timeouts map[string]any
	if err := json.Unmarshal(attributes["timeouts"], &timeouts); err != nil {
		problems = append(problems, "timeouts is not an object: "+err.Error())
	}
	for operation := range timeouts {
		if !slices.Contains(o.Timeouts, operation) {
			problems = append(problems, "timeouts has "+operation)
		}
	}
	return problems
}

func (a Attribute) reads(text json.RawMessage) error {
	valueType, err := a.ValueType()
	if err != nil {
		return err
	}
	//nolint:staticcheck // Providers read states with this function.
	_, err = tftypes.ValueFromJSON(text, valueType)
	return err
}
