package openapi

import "encoding/json"

const (
	jsonType = "application/json"
	// keyScheme is the name of the security scheme.
	keyScheme = "key"
	// refPrefix is the prefix of references to schemas.
	refPrefix = "#/components/schemas/"
)

// The objects of OpenAPI 3.0.3, with the members that this package uses, in the order of
// the specification.
type (
	document struct {
		OpenAPI    string                          `json:"openapi"`
		Info       info                            `json:"info"`
		Paths      map[string]map[string]operation `json:"paths"`
		Components components                      `json:"components"`
	}
	info struct {
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
		Version     string `json:"version"`
	}
	operation struct {
		Tags        []string              `json:"tags"`
		Summary     string                `json:"summary"`
		OperationID string                `json:"operationId"`
		Parameters  []parameter           `json:"parameters,omitempty"`
		RequestBody *requestBody          `json:"requestBody,omitempty"`
		Responses   map[string]response   `json:"responses"`
		Security    []map[string][]string `json:"security,omitempty"`
	}
	parameter struct {
		Name        string `json:"name"`
		In          string `json:"in"`
		Description string `json:"description"`
		Required    bool   `json:"required,omitempty"`
		Schema      Schema `json:"schema"`
	}
	requestBody struct {
		Required bool                 `json:"required,omitempty"`
		Content  map[string]mediaType `json:"content"`
	}
	response struct {
		Description string               `json:"description"`
		Content     map[string]mediaType `json:"content,omitempty"`
	}
	mediaType struct {
		Schema Schema `json:"schema"`
	}
	components struct {
		Schemas         map[string]Schema         `json:"schemas"`
		SecuritySchemes map[string]securityScheme `json:"securitySchemes"`
	}
	securityScheme struct {
		Type string `json:"type"`
		Name string `json:"name"`
		In   string `json:"in"`
	}
)

// A Schema is a schema object of OpenAPI 3.0.3.
type Schema struct {
	Ref                  string            `json:"$ref,omitempty"`
	Type                 string            `json:"type,omitempty"`
	Format               string            `json:"format,omitempty"`
	Description          string            `json:"description,omitempty"`
	Nullable             bool              `json:"nullable,omitempty"`
	Pattern              string            `json:"pattern,omitempty"`
	Enum                 []any             `json:"enum,omitempty"`
	Minimum              *int              `json:"minimum,omitempty"`
	Maximum              *int              `json:"maximum,omitempty"`
	Default              any               `json:"default,omitempty"`
	Items                *Schema           `json:"items,omitempty"`
	Properties           map[string]Schema `json:"properties,omitempty"`
	AdditionalProperties *Schema           `json:"additionalProperties,omitempty"`
	Required             []string          `json:"required,omitempty"`
	AllOf                []Schema          `json:"allOf,omitempty"`
	AnyOf                []Schema          `json:"anyOf,omitempty"`
}

func content(contentType string, schema Schema) map[string]mediaType {
	return map[string]mediaType{contentType: {Schema: schema}}
}

// JSON returns the OpenAPI document of an API. It returns an error if a field, a parameter
// or an operation has no description, or if a description matches no field.
func JSON(a API) ([]byte, error) {
	d, err := a.document()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(d, "", " ")
}
