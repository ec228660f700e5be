package openapi

import "encoding/json"

// The names that occur in several places of a document.
const (
	jsonType  = "application/json"
	keyScheme = "key"
	schemasAt = "#/components/schemas/"
)

// The types are those of OpenAPI 3.0.3, as far as they are used, with the keys in
// its order.
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

// A Schema says what a value looks like.
type Schema struct {
	Ref         string `json:"$ref,omitempty"`
	Type        string `json:"type,omitempty"`
	Format      string `json:"format,omitempty"`
	Description string `json:"description,omitempty"`
	Nullable    bool   `json:"nullable,omitempty"`
	Pattern     string `json:"pattern,omitempty"`
	Enum        []any  `json:"enum,omitempty"`
	Minimum     *int   `json:"minimum,omitempty"`
	Maximum     *int   `json:"maximum,omitempty"`
	// Default is what stands for a value that is not given.
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

// JSON is the OpenAPI document of an API. It fails when a field, a parameter or an
// operation is not described, and when what is described is not there.
func JSON(a API) ([]byte, error) {
	d, err := a.document()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(d, "", " ")
}
