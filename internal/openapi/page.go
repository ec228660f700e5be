package openapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"type": typeName, "link": link}).Parse(pageText))

// PagePolicy returns the Content-Security-Policy for a page: it allows the page's inline
// style, and no scripts.
func PagePolicy() string {
	digest := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

// pageData is the data of the template.
type pageData struct {
	API     API
	Style   template.CSS
	Groups  []group
	Schemas []namedSchema
}

type group struct {
	Name       string
	Operations []pageOperation
}

type pageOperation struct {
	Method, Path string
	operation
}

// Statuses returns the statuses of the responses in ascending order.
func (o pageOperation) Statuses() []string { return slices.Sorted(maps.Keys(o.Responses)) }

type namedSchema struct {
	Name string
	Schema
}

// Fields returns the names of the schema's fields in alphabetical order.
func (n namedSchema) Fields() []string { return slices.Sorted(maps.Keys(n.Properties)) }

// IsRequired reports whether a field is required.
func (n namedSchema) IsRequired(field string) bool { return slices.Contains(n.Required, field) }

// Page returns the description of an API as a self-contained HTML page. It returns the
// errors of JSON.
func Page(a API) ([]byte, error) {
	d, err := a.document()
	if err != nil {
		return nil, err
	}
	data := pageData{API: a, Style: template.CSS(style)}
	for _, o := range a.Operations {
		at := slices.IndexFunc(data.Groups, func(g group) bool { return g.Name == o.Tag })
		if at < 0 {
			at = len(data.Groups)
			data.Groups = append(data.Groups, group{Name: o.Tag})
		}
		described := d.Paths[o.path()][strings.ToLower(o.method())]
		data.Groups[at].Operations = append(data.Groups[at].Operations, pageOperation{o.method(), o.path(), described})
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		data.Schemas = append(data.Schemas, namedSchema{name, d.Components.Schemas[name]})
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("execute page template: %w", err)
	}
	return out.Bytes(), nil
}

// typeName returns a short name for the type of a schema, such as "list of string".
func typeName(s Schema) string {
	name := s.Type
	switch {
	case len(s.Enum) > 0:
		var values []string
		for _, value := range s.Enum {
			values = append(values, fmt.Sprint(value))
		}
		name = strings.Join(values, " | ")
	case s.Format != "":
		name = s.Format
	case s.Items != nil:
		name = "list of " + typeName(*s.Items)
	case s.AdditionalProperties != nil:
		name = "map of " + typeName(*s.AdditionalProperties)
	case len(s.AllOf) > 0:
		name = typeName(s.AllOf[0])
	case len(s.AnyOf) > 0:
		var choices []string
		for _, choice := range s.AnyOf {
			choices = append(choices, typeName(choice))
		}
		name = strings.Join(choices, " or ")
	case s.Ref != "":
		name = strings.TrimPrefix(s.Ref, refPrefix)
	}
	if s.Nullable {
		name += ", or null"
	}
	return name
}

// link returns the name of the component that a schema refers to, directly or as the type
// of its items; empty if it refers to none.
func link(s Schema) string {
	switch {
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, refPrefix)
	case s.Items != nil:
		return link(*s.Items)
	case s.AdditionalProperties != nil:
		return link(*s.AdditionalProperties)
	case len(s.AllOf) > 0:
		return link(s.AllOf[0])
	}
	return ""
}
