package openapi

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// An API is what is to be described.
type API struct {
	Title, Version, Text string
	// KeyHeader is the header that every operation wants which is not Open.
	KeyHeader  string
	Operations []Operation
	// Texts say what each field and parameter is, by its name in JSON or, where
	// another of the same name is something else, by the name of the schema, a
	// dot and that. Each field must have one, and each must be used.
	Texts map[string]string
	// Types are the types that write themselves, and those with few values.
	Types map[reflect.Type]Schema
	// Parameters are those of paths and queries, by their names.
	Parameters map[string]Schema
	// Failures are the answers that are no success, by their status.
	Failures map[int]Failure
}

// An Operation is one method of one path.
type Operation struct {
	// Pattern is the method, a blank, and the path, with parameters in braces.
	Pattern string
	// ID names the operation for those who generate clients, Tag the group that
	// it is shown in; Text says what it does.
	ID, Tag, Text string
	// Open has no key asked for.
	Open bool
	// Request is a value of the type of the body, nil where there is none, and
	// Required are those of its fields that must be there.
	Request  any
	Required []string
	// RequestType is the type of a body that is no JSON.
	RequestType string
	// Answer is a value of the type of what success answers; nil is no JSON, but
	// of AnswerType, or nothing at all.
	Answer     any
	AnswerType string
	// Empty reports that success is answered with 204 and no body.
	Empty bool
	// Query are the parameters; one with a ! behind it must be there.
	Query []string
	// Fails are the statuses of the failures that the operation can have, besides
	// those that all have.
	Fails []int
}

// A Failure is an answer that is no success.
type Failure struct {
	Text string
	// Answers are values of the types that it can have; none for no body.
	Answers []any
	// Always has every operation with a key fail so.
	Always bool
}

// method and path are the parts of the pattern.
func (o Operation) method() string { method, _, _ := strings.Cut(o.Pattern, " "); return method }
func (o Operation) path() string   { _, path, _ := strings.Cut(o.Pattern, " "); return path }

// document describes the API. It fails when something is not described, or
// nothing of what is described exists.
func (a API) document() (document, error) {
	d := document{
		OpenAPI: "3.0.3",
		Info:    info{Title: a.Title, Version: a.Version, Description: a.Text},
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
	d.Components.Schemas = s.made
	for _, name := range slices.Sorted(maps.Keys(a.Texts)) {
		if !s.used[name] {
			return d, fmt.Errorf("describe %s: there is no such field", name)
		}
	}
	return d, nil
}

func (a API) operation(s *schemas, o Operation) (operation, error) {
	described := operation{OperationID: o.ID, Summary: o.Text, Responses: map[string]response{}}
	if o.Text == "" || o.ID == "" || o.Tag == "" {
		return described, fmt.Errorf("it has no text, ID or tag")
	}
	described.Tags = []string{o.Tag}
	if !o.Open {
		described.Security = []map[string][]string{{keyScheme: {}}}
	}
	if err := a.parameters(s, o, &described); err != nil {
		return described, err
	}
	success, err := a.success(s, o)
	if err != nil {
		return described, err
	}
	described.Responses[fmt.Sprint(o.successStatus())] = success
	return described, a.failures(s, o, &described)
}

func (a API) parameters(s *schemas, o Operation, described *operation) error {
	for _, part := range strings.Split(o.path(), "/") {
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

func (a API) parameter(s *schemas, name, in string) (parameter, error) {
	schema, ok := a.Parameters[name]
	if !ok {
		return parameter{}, fmt.Errorf("parameter %s has no schema", name)
	}
	text, err := s.text("parameter", name)
	return parameter{Name: name, In: in, Description: text, Required: in == "path", Schema: schema}, err
}

// successStatus is the status that success is answered with.
func (o Operation) successStatus() int {
	if o.Empty {
		return http.StatusNoContent
	}
	return http.StatusOK
}

func (a API) success(s *schemas, o Operation) (response, error) {
	r := response{Description: http.StatusText(o.successStatus())}
	switch {
	case o.AnswerType != "":
		r.Content = content(o.AnswerType, Schema{Type: "string"})
	case o.Answer != nil:
		schema, err := s.answer(o.Answer)
		if err != nil {
			return r, err
		}
		r.Content = content(jsonType, schema)
	}
	return r, nil
}

func (a API) failures(s *schemas, o Operation, described *operation) error {
	for _, status := range slices.Sorted(maps.Keys(a.Failures)) {
		f := a.Failures[status]
		always := f.Always && !o.Open
		if !always && !slices.Contains(o.Fails, status) {
			continue
		}
		r := response{Description: f.Text}
		var choices []Schema
		for _, answer := range f.Answers {
			schema, err := s.answer(answer)
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
