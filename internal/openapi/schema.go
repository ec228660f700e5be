package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// schemas makes the schemas of types, each once.
type schemas struct {
	api  API
	made map[string]Schema
	// used are the texts that have been.
	used map[string]bool
}

func newSchemas(a API) *schemas {
	return &schemas{api: a, made: map[string]Schema{}, used: map[string]bool{}}
}

// text is what the field or parameter of a schema is.
func (s *schemas) text(schema, name string) (string, error) {
	for _, key := range []string{schema + "." + name, name} {
		if text := s.api.Texts[key]; text != "" {
			s.used[key] = true
			return text, nil
		}
	}
	return "", fmt.Errorf("%s of %s has no text", name, schema)
}

// answer and request are the schemas of a value's type. Of an answer every field
// is there, unless it may be left out; of a request those that are required, and
// all others may be null.
func (s *schemas) answer(value any) (Schema, error) { return s.of(reflect.TypeOf(value), false) }

func (s *schemas) request(value any, required []string) (Schema, error) {
	t := reflect.TypeOf(value)
	schema, err := s.of(t, true)
	if err != nil || schema.Ref == "" {
		return schema, err
	}
	made := s.made[schemaName(t)]
	for _, name := range required {
		property, ok := made.Properties[name]
		if !ok {
			return schema, fmt.Errorf("%s is required, and no field of %s", name, schemaName(t))
		}
		property.Nullable = false
		made.Properties[name] = property
	}
	made.Required = required
	s.made[schemaName(t)] = made
	return schema, nil
}

// of is the schema of a type; a struct is referred to.
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
	return Schema{}, fmt.Errorf("there is no schema for a %s", t)
}

func (s *schemas) object(t reflect.Type, request bool) (Schema, error) {
	if t.Name() == "" {
		return Schema{}, fmt.Errorf("a type without a name has no schema: %s", t)
	}
	name := schemaName(t)
	if _, made := s.made[name]; made {
		return Schema{Ref: schemasAt + name}, nil
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
	s.made[name] = object
	return Schema{Ref: schemasAt + name}, nil
}

func (s *schemas) property(object, key string, t reflect.Type, request bool) (Schema, error) {
	property, err := s.of(t, request)
	if err != nil {
		return property, fmt.Errorf("%s of %s: %w", key, object, err)
	}
	if property.Description, err = s.text(object, key); err != nil {
		return property, err
	}
	property.Nullable = property.Nullable || request
	if property.Ref != "" {
		// Beside a reference nothing else is read.
		property = Schema{AllOf: []Schema{{Ref: property.Ref}}, Description: property.Description, Nullable: property.Nullable}
	}
	return property, nil
}

// schemaName is the name of a type for those who know no Go: without what it is
// here, an answer.
func schemaName(t reflect.Type) string {
	name := strings.TrimSuffix(t.Name(), "Answer")
	return strings.ToUpper(name[:1]) + name[1:]
}
