package openapi

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// document builds the document of the API. It returns an error if a field, parameter or
// operation lacks a description, or if a description matches no field.
func (a API) document() (document, error) {
	d := document{
		OpenAPI: "3.0.3",
		Info:    info{Title: a.Title, Version: a.Version, Description: a.Description},
		Paths:   map[string]map[string]operation{},
		Components: components{
			SecuritySchemes: map[string]securityScheme{keyScheme: {Type: "apiKey", Name: a.KeyHeader, In: "header"}},
		},
	}
	s := newSchemas(a)
	for _, o := range a.Operations {
		described, err := a.operation(s, o)
		if err != nil {
			return d, fmt.Errorf("describe %s: %w", o.Pattern, err)
		}
		if d.Paths[o.path()] == nil {
			d.Paths[o.path()] = map[string]operation{}
		}
		d.Paths[o.path()][strings.ToLower(o.method())] = described
	}
	d.Components.Schemas = s.components
	for _, name := range slices.Sorted(maps.Keys(a.Descriptions)) {
		if !s.used[name] {
			return d, fmt.Errorf("describe %s: no such field", name)
		}
	}
	return d, nil
}

func (a API) operation(s *schemas, o Operation) (operation, error) {
	described := operation{OperationID: o.ID, Summary: o.Summary, Responses: map[string]response{}}
	if o.Summary == "" || o.ID == "" || o.Tag == "" {
		return described, errors.New("it has no summary, ID or tag")
	}
	described.Tags = []string{o.Tag}
	if !o.Public {
		described.Security = []map[string][]string{{keyScheme: {}}}
	}
	if err := a.addParameters(s, o, &described); err != nil {
		return described, err
	}
	if err := a.addRequestBody(s, o, &described); err != nil {
		return described, err
	}
	success, err := a.success(s, o)
	if err != nil {
		return described, err
	}
	described.Responses[fmt.Sprint(o.successStatus())] = success
	return described, a.addErrors(s, o, &described)
}

func (a API) addParameters(s *schemas, o Operation, described *operation) error {
	for part := range strings.SplitSeq(o.path(), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			p, err := a.parameter(s, strings.TrimSuffix(name, "}"), "path")
			if err != nil {
				return err
			}
			described.Parameters = append(described.Parameters, p)
		}
	}
	for _, name := range o.Query {
		name, required := strings.CutSuffix(name, "!")
		p, err := a.parameter(s, name, "query")
		if err != nil {
			return err
		}
		p.Required = required
		described.Parameters = append(described.Parameters, p)
	}
	return nil
}

func (a API) parameter(s *schemas, name, in string) (parameter, error) {
	schema, ok := a.Parameters[name]
	if !ok {
		return parameter{}, fmt.Errorf("parameter %s has no schema", name)
	}
	description, err := s.description("parameter", name)
	return parameter{Name: name, In: in, Description: description, Required: in == "path", Schema: schema}, err
}

func (a API) addRequestBody(s *schemas, o Operation, described *operation) error {
	switch {
	case o.RequestType != "":
		described.RequestBody = &requestBody{Required: true, Content: content(o.RequestType, Schema{Type: "string", Format: "binary"})}
	case o.Request != nil:
		schema, err := s.request(o.Request, o.Required)
		if err != nil {
			return err
		}
		described.RequestBody = &requestBody{Required: len(o.Required) > 0, Content: content(jsonType, schema)}
	}
	return nil
}

func (a API) success(s *schemas, o Operation) (response, error) {
	r := response{Description: http.StatusText(o.successStatus())}
	switch {
	case o.ResponseType != "":
		r.Content = content(o.ResponseType, Schema{Type: "string"})
	case o.Response != nil:
		schema, err := s.response(o.Response)
		if err != nil {
			return r, err
		}
		r.Content = content(jsonType, schema)
	}
	return r, nil
}

func (a API) addErrors(s *schemas, o Operation, described *operation) error {
	for _, status := range slices.Sorted(maps.Keys(a.Errors)) {
		e := a.Errors[status]
		common := e.Common && !o.Public
		if !common && !slices.Contains(o.Errors, status) {
			continue
		}
		r := response{Description: e.Description}
		var choices []Schema
		for _, body := range e.Bodies {
			schema, err := s.response(body)
			if err != nil {
				return err
			}
			choices = append(choices, schema)
		}
		switch len(choices) {
		case 0:
		case 1:
			r.Content = content(jsonType, choices[0])
		default:
			r.Content = content(jsonType, Schema{AnyOf: choices})
		}
		described.Responses[fmt.Sprint(status)] = r
	}
	return nil
}
