package official

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Address is where registries have the official provider.
const Address = "scaleway/scaleway"

// The types of resources that states are made of here.
const (
	NamespaceType = "scaleway_function_namespace"
	FunctionType  = "scaleway_function"
	TokenType     = "scaleway_function_token"
	CronType      = "scaleway_function_cron"
	DomainType    = "scaleway_function_domain"
	TriggerType   = "scaleway_function_trigger"
)

// Schema is what the official provider's resources and data sources are. All are
// of schema version 0.
type Schema struct {
	Resources   map[string]Type `json:"resources"`
	DataSources map[string]Type `json:"data_sources"`
}

// Type is a resource or a data source.
type Type struct {
	Attributes map[string]Attribute `json:"attributes"`
	// Blocks are the types of the blocks besides timeouts. A state holds them as
	// attributes, and an empty list for one that is not there.
	Blocks map[string]json.RawMessage `json:"blocks"`
	// Timeouts are the operations of the timeouts block, if there is one.
	Timeouts []string `json:"timeouts"`
}

// Attribute is an attribute of a type.
type Attribute struct {
	// Notation is the type of the values, as Terraform writes types in JSON.
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
	//nolint:staticcheck // Terraform's notation of types has no other reader outside of Terraform.
	return tftypes.ParseJSONType(a.Notation)
}

// Unreadable returns what the official provider cannot read of the attributes in a
// state, or misses in them. terraform-plugin-sdk/v2 leaves out attributes that it
// does not know, and fails on one of another type.
func (o Type) Unreadable(attributes map[string]json.RawMessage) []string {
	var problems []string
	for name, described := range o.Attributes {
		text, ok := attributes[name]
		switch {
		case !ok:
			problems = append(problems, "there is no "+name)
		case string(text) != "null":
			if err := described.reads(text); err != nil {
				problems = append(problems, fmt.Sprintf("%s cannot be read: %v", name, err))
			}
		case described.Required:
			problems = append(problems, name+" is null, which is required")
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
		problems = append(problems, "timeouts is no object: "+err.Error())
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
	//nolint:staticcheck // It is how providers read states.
	_, err = tftypes.ValueFromJSON(text, valueType)
	return err
}
