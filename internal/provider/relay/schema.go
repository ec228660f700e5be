package relay

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The other fields of a response with schemas.
const (
	providerSchema     protowire.Number = 1
	schemaDiagnostics  protowire.Number = 4
	serverCapabilities protowire.Number = 6
)

// The fields of server capabilities.
const (
	plansDestroy   protowire.Number = 1
	schemaOptional protowire.Number = 2
)

// schemas are the merged schemas of both providers.
type schemas struct {
	// response is the response to Terraform.
	response []byte
	// own has the names that Jeton's provider serves, by the field of the response.
	own map[protowire.Number]map[string]bool
	// rest describes the other provider; zero without one.
	rest restSchema
}

// restSchema is what the relay uses of the schemas of the other provider.
type restSchema struct {
	// settings are the attributes and blocks of the provider block.
	settings []string
	// plansDestroy reports whether it plans deletions.
	plansDestroy bool
	// optional reports whether it works without having been asked for its schemas.
	optional bool
}

// mapKey returns the key of an entry of a map from text.
func mapKey(entry []byte) (string, error) {
	key, err := content(entry, 1)
	return string(key), err
}

// merge merges the response of Jeton's provider with that of the other one, of which only
// types are used that Jeton's provider does not have. other is nil without one.
func merge(own, other []byte) (*schemas, error) {
	merged := &schemas{own: map[protowire.Number]map[string]bool{}, response: append([]byte(nil), own...)}
	for _, number := range []protowire.Number{resourceTypes, dataSources, functionNames, ephemeralTypes, listTypes, stateStores, actionTypes} {
		merged.own[number] = map[string]bool{}
	}
	all, err := fields(own)
	if err != nil {
		return nil, fmt.Errorf("decode the schemas: %w", err)
	}
	for _, f := range all {
		if names, ok := merged.own[f.number]; ok {
			name, err := mapKey(f.value)
			if err != nil {
				return nil, fmt.Errorf("decode the schemas: %w", err)
			}
			names[name] = true
		}
	}
	if err := merged.add(other); err != nil {
		return nil, fmt.Errorf("decode the schemas of the official provider: %w", err)
	}
	return merged, nil
}

// add adds the types of the other provider.
func (s *schemas) add(other []byte) error {
	all, err := fields(other)
	if err != nil {
		return err
	}
	for _, f := range all {
		switch f.number {
		case resourceTypes, dataSources, functionNames, ephemeralTypes, listTypes, actionTypes:
			name, err := mapKey(f.value)
			if err != nil {
				return err
			}
			if !s.own[f.number][name] {
				s.response = append(s.response, f.raw...)
			}
		case schemaDiagnostics:
			s.response = append(s.response, f.raw...)
		case providerSchema:
			if s.rest.settings, err = settingNames(f.value); err != nil {
				return err
			}
		case serverCapabilities:
			s.rest.plansDestroy = enabled(f.value, plansDestroy)
			s.rest.optional = enabled(f.value, schemaOptional)
		}
	}
	return nil
}

// settingNames returns the names of the attributes and blocks of a schema.
func settingNames(schema []byte) ([]string, error) {
	block, err := content(schema, 2)
	if err != nil {
		return nil, err
	}
	all, err := fields(block)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range all {
		const attributes, blocks = 2, 3
		if f.number != attributes && f.number != blocks {
			continue
		}
		name, err := content(f.value, 1)
		if err != nil {
			return nil, err
		}
		names = append(names, string(name))
	}
	return names, nil
}
