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

// PagePolicy is the Content-Security-Policy under which a page shows as it is
// meant to: it has its style within it, and nothing that runs.
func PagePolicy() string {
	digest := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

// shown is what the page shows.
type shown struct {
	API     API
	Style   template.CSS
	Groups  []group
	Schemas []named
}

type group struct {
	Name       string
	Operations []shownOperation
}

type shownOperation struct {
	Method, Path string
	operation
}

// Statuses are those of the operation's answers, in order.
func (o shownOperation) Statuses() []string { return slices.Sorted(maps.Keys(o.Responses)) }

type named struct {
	Name string
	Schema
}

// Fields are the names of the schema's fields, in order.
func (n named) Fields() []string { return slices.Sorted(maps.Keys(n.Properties)) }

// IsRequired tells whether a field must be there.
func (n named) IsRequired(field string) bool { return slices.Contains(n.Required, field) }

// Page is the description of an API to read: one page of HTML that needs nothing
// else. It fails as JSON does.
func Page(a API) ([]byte, error) {
	d, err := a.document()
	if err != nil {
		return nil, err
	}
	s := shown{API: a, Style: template.CSS(style)}
	for _, o := range a.Operations {
		at := slices.IndexFunc(s.Groups, func(g group) bool { return g.Name == o.Tag })
		if at < 0 {
			at = len(s.Groups)
			s.Groups = append(s.Groups, group{Name: o.Tag})
		}
		described := d.Paths[o.path()][strings.ToLower(o.method())]
		s.Groups[at].Operations = append(s.Groups[at].Operations, shownOperation{o.method(), o.path(), described})
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		s.Schemas = append(s.Schemas, named{name, d.Components.Schemas[name]})
	}
	var out bytes.Buffer
	if err := page.Execute(&out, s); err != nil {
		return nil, fmt.Errorf("page of the API: %w", err)
	}
	return out.Bytes(), nil
}

// typeName says in short what values a schema has.
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
		name = strings.TrimPrefix(s.Ref, schemasAt)
	}
	if s.Nullable {
		name += ", or null"
	}
	return name
}

// link is the name of the schema that another one refers to first; empty if none.
func link(s Schema) string {
	switch {
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, schemasAt)
	case s.Items != nil:
		return link(*s.Items)
	case s.AdditionalProperties != nil:
		return link(*s.AdditionalProperties)
	case len(s.AllOf) > 0:
		return link(s.AllOf[0])
	}
	return ""
}
