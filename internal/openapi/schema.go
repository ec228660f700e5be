package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// schemas generates schemas from Go types. ADR 22 says why it does not use a library.
type schemas struct {
	api API
	// components has the schemas of structs by name.
	components map[string]Schema
	// used has the keys of the descriptions that were used.
	used map[string]bool
}

func newSchemas(a API) *schemas {
	return &schemas{api: a, components: map[string]Schema{}, used: map[string]bool{}}
}

// description returns the description of a field or parameter.
func (s *schemas) description(schema, name string) (string, error) {
	for _, key := range []string{schema + "." + name, name} {
		if text := s.api.Descriptions[key]; text != "" {
			s.used[key] = true
			return text, nil
		}
	}
	return "", fmt.Errorf("%s of %s has no description", name, schema)
}

// response returns the schema of a response body. Its fields are required unless they have
// omitempty.
func (s *schemas) response(value any) (Schema, error) { return s.of(reflect.TypeOf(value), false) }

// request returns the schema of a request body. Its fields are nullable unless they are
// required.
func (s *schemas) request(value any, required []string) (Schema, error) {
	t := reflect.TypeOf(value)
	schema, err := s.of(t, true)
	if err != nil || schema.Ref == "" {
		return schema, err
	}
	object := s.components[schemaName(t)]
	for _, name := range required {
		property, ok := object.Properties[name]
		if !ok {
			return schema, fmt.Errorf("required field %s: %s has no such field", name, schemaName(t))
		}
		property.Nullable = false
		object.Properties[name] = property
	}
	object.Required = required
	s.components[schemaName(t)] = object
	return schema, nil
}

// of returns the schema of a type. For a struct it adds a component and returns a reference
// to it.
func (s *schemas) of(t reflect.Type, request bool) (Schema, error) {
	if schema, ok := s.api.Types[t]; ok {
		return schema, nil
	}
	switch t.Kind() {
	case reflect.String:
		return Schema{Type: "string"}, nil
	case reflect.Bool:
		return Schema{Type: "boolean"}, nil
	case reflect.Int:
		return Schema{Type: "integer"}, nil
	case reflect.Int64:
		return Schema{Type: "integer", Format: "int64"}, nil
	case reflect.Float64:
		return Schema{Type: "number"}, nil
	case reflect.Pointer:
		return s.of(t.Elem(), request)
	case reflect.Slice:
		if t == reflect.TypeFor[json.RawMessage]() {
			return Schema{Type: "object"}, nil
		}
		items, err := s.of(t.Elem(), request)
		return Schema{Type: "array", Items: &items}, err
	case reflect.Map:
		values, err := s.of(t.Elem(), request)
		return Schema{Type: "object", AdditionalProperties: &values}, err
	case reflect.Struct:
		return s.object(t, request)
	}
	return Schema{}, fmt.Errorf("type %s is not supported", t)
}

func (s *schemas) object(t reflect.Type, request bool) (Schema, error) {
	if t.Name() == "" {
		return Schema{}, fmt.Errorf("type %s has no name", t)
	}
	name := schemaName(t)
	if _, ok := s.components[name]; ok {
		return Schema{Ref: refPrefix + name}, nil
	}
	object := Schema{Type: "object", Properties: map[string]Schema{}}
	for field := range t.Fields() {
		tag, ok := field.Tag.Lookup("json")
		if !ok {
			continue
		}
		key, option, _ := strings.Cut(tag, ",")
		property, err := s.property(name, key, field.Type, request)
		if err != nil {
			return object, err
		}
		object.Properties[key] = property
		if !request && option != "omitempty" {
			object.Required = append(object.Required, key)
		}
	}
	slices.Sort(object.Required)
	s.components[name] = object
	return Schema{Ref: refPrefix + name}, nil
}

func (s *schemas) property(object, key string, t reflect.Type, request bool) (Schema, error) {
	property, err := s.of(t, request)
	if err != nil {
		return property, fmt.Errorf("%s of %s: %w", key, object, err)
	}
	if property.Description, err = s.description(object, key); err != nil {
		return property, err
	}
	property.Nullable = property.Nullable || request
	if property.Ref != "" {
		// OpenAPI 3.0 ignores the siblings of $ref.
		property = Schema{AllOf: []Schema{{Ref: property.Ref}}, Description: property.Description, Nullable: property.Nullable}
	}
	return property, nil
}

// schemaName returns the name of a type's schema: the type's name without the suffix
// Response, starting with an upper-case letter.
func schemaName(t reflect.Type) string {
	name := strings.TrimSuffix(t.Name(), "Response")
	return strings.ToUpper(name[:1]) + name[1:]
}
