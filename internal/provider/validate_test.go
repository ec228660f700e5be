package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

const (
	namespaceType = "scaleway_function_namespace"
	functionType  = "scaleway_function"
	tokenType     = "scaleway_function_token"

	anID = "fr-par/11111111-1111-4111-8111-111111111111"
)

// values are the arguments of a configuration; a string, an int or a
// map[string]string each.
type values map[string]any

// aFunction is a valid function with other arguments.
func aFunction(others values) values {
	v := values{"namespace_id": anID, "runtime": "go126", "handler": "Handle", "privacy": "private"}
	for name, value := range others {
		v[name] = value
	}
	return v
}

// TestValidation is about defect F14 among others: the official provider
// leaves most of this to the service, which refuses it during the apply.
func TestValidation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		resource string
		config   values
		// want is what each of the messages says; none if the configuration is
		// valid.
		want string
		at   string
	}{
		"namespace":                    {namespaceType, values{"name": "Test-1"}, "", ""},
		"namespace, no name":           {namespaceType, values{}, "", ""},
		"namespace, digit first":       {namespaceType, values{"name": "1test"}, "begins with a letter", "name"},
		"namespace, hyphen last":       {namespaceType, values{"name": "test-"}, "ends with a letter or digit", "name"},
		"namespace, empty name":        {namespaceType, values{"name": ""}, "begins with a letter", "name"},
		"namespace, project":           {namespaceType, values{"project_id": "mine"}, "11111111-1111-1111-1111-111111111111", "project_id"},
		"namespace, region":            {namespaceType, values{"region": "../fr-par"}, "write fr-par, nl-ams or pl-waw", "region"},
		"namespace, new region":        {namespaceType, values{"region": "xx-new"}, "", ""},
		"namespace, long variable":     {namespaceType, values{"environment_variables": map[string]string{"A": strings.Repeat("x", 1001)}}, "1001 characters", "environment_variables"},
		"namespace, long key":          {namespaceType, values{"environment_variables": map[string]string{strings.Repeat("x", 101): ""}}, "between 1 and 100", "environment_variables"},
		"namespace, long secret":       {namespaceType, values{"secret_environment_variables": map[string]string{"A": strings.Repeat("s3cr3t", 11000)}}, "66000 characters", "secret_environment_variables"},
		"namespace, secret of a token": {namespaceType, values{"secret_environment_variables": map[string]string{"A": strings.Repeat("x", 1063)}}, "", ""},

		"function":                    {functionType, aFunction(nil), "", ""},
		"function, upper case":        {functionType, aFunction(values{"name": "Main"}), "lower-case letters", "name"},
		"function, long name":         {functionType, aFunction(values{"name": strings.Repeat("a", 35)}), "at most 34", "name"},
		"function, privacy":           {functionType, aFunction(values{"privacy": "secret"}), `"public" "private"`, "privacy"},
		"function, http option":       {functionType, aFunction(values{"http_option": "https"}), `"enabled" "redirected"`, "http_option"},
		"function, sandbox":           {functionType, aFunction(values{"sandbox": "v3"}), `"v1" "v2"`, "sandbox"},
		"function, memory":            {functionType, aFunction(values{"memory_limit": 300}), `"512"`, "memory_limit"},
		"function, min scale":         {functionType, aFunction(values{"min_scale": -1}), "between 0 and 50", "min_scale"},
		"function, max scale":         {functionType, aFunction(values{"max_scale": 51}), "between 1 and 50", "max_scale"},
		"function, min above max":     {functionType, aFunction(values{"min_scale": 3, "max_scale": 2}), "min_scale is 3 and max_scale is 2: lower min_scale or raise max_scale", "min_scale"},
		"function, min above 20":      {functionType, aFunction(values{"min_scale": 21}), "max_scale is 20 by default: lower min_scale or raise max_scale", "min_scale"},
		"function, timeout":           {functionType, aFunction(values{"timeout": 0}), "between 1 and 3600", "timeout"},
		"function, hash of nothing":   {functionType, aFunction(values{"zip_hash": "1"}), "zip_file", "zip_hash"},
		"function, namespace by name": {functionType, aFunction(values{"namespace_id": "main"}), "region/uuid", "namespace_id"},
		"function, empty handler":     {functionType, aFunction(values{"handler": ""}), "at least 1", "handler"},
		"function, folder":            {functionType, aFunction(values{"handler": "shop/Handle"}), "", ""},
		"function, unexported":        {functionType, aFunction(values{"handler": "handle"}), `"handle" is no handler for the runtime "go126": write the name of an exported function`, "handler"},
		"function, Go file":           {functionType, aFunction(values{"handler": "handler.Handle"}), "exported function", "handler"},
		"function, package of old":    {functionType, aFunction(values{"runtime": "go113", "handler": "main"}), "", ""},
		"function, no file":           {functionType, aFunction(values{"runtime": "node20", "handler": "handle"}), "write file.function, for example handler.handle", "handler"},
		"function, file in folder":    {functionType, aFunction(values{"runtime": "python314", "handler": "src/my.handler.handle"}), "", ""},
		"function, no function":       {functionType, aFunction(values{"runtime": "php85", "handler": "handler."}), "write file.function", "handler"},
		"function, Rust":              {functionType, aFunction(values{"runtime": "rust196", "handler": "handle"}), "", ""},
		"function, Rust file":         {functionType, aFunction(values{"runtime": "rust196", "handler": "handler.handle"}), "the name of a function", "handler"},
		"function, new language":      {functionType, aFunction(values{"runtime": "zig1", "handler": "?"}), "", ""},
		"function, runtime not known": {functionType, aFunction(values{"runtime": tftypes.UnknownValue, "handler": "handle"}), "", ""},

		"token of a function":         {tokenType, values{"function_id": anID}, "", ""},
		"token of a bare namespace":   {tokenType, values{"namespace_id": anID[7:]}, "", ""},
		"token, one empty":            {tokenType, values{"namespace_id": anID, "function_id": ""}, "", ""},
		"token of nothing":            {tokenType, values{}, "set function_id or namespace_id", ""},
		"token of empty things":       {tokenType, values{"namespace_id": "", "function_id": ""}, "set function_id or namespace_id", ""},
		"token of two things":         {tokenType, values{"namespace_id": anID, "function_id": anID}, "remove function_id or namespace_id", "namespace_id"},
		"token of one not known yet":  {tokenType, values{"namespace_id": tftypes.UnknownValue}, "", ""},
		"token of two, one not known": {tokenType, values{"namespace_id": tftypes.UnknownValue, "function_id": anID}, "", ""},
		"token, offset":               {tokenType, values{"function_id": anID, "expires_at": "2022-10-18T11:35:15+02:00"}, "", ""},
		"token, a day":                {tokenType, values{"function_id": anID, "expires_at": "2030-01-31"}, "2030-01-31T12:00:00Z", "expires_at"},
		"token, no time":              {tokenType, values{"function_id": anID, "expires_at": ""}, "2030-01-31T12:00:00Z", "expires_at"},
		"token, a name":               {tokenType, values{"function_id": "main"}, "region/uuid", "function_id"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diagnostics := validate(t, test.resource, test.config)
			if test.want == "" {
				for _, d := range diagnostics {
					t.Errorf("%s: %s", d.Summary, d.Detail)
				}
				return
			}
			if len(diagnostics) != 1 {
				t.Fatalf("%d messages, want one: %v", len(diagnostics), diagnostics)
			}
			said := diagnostics[0].Detail
			if !strings.Contains(said, test.want) {
				t.Errorf("the message %q does not say %q", said, test.want)
			}
			if strings.Contains(said, "s3cr3t") {
				t.Errorf("the message %q holds a secret", said)
			}
			if at := attribute(diagnostics[0]); at != test.at {
				t.Errorf("the message is about %q, want %q", at, test.at)
			}
		})
	}
}

// attribute returns the name of the attribute that a message is about.
func attribute(d *tfprotov6.Diagnostic) string {
	if d.Attribute == nil {
		return ""
	}
	name, _ := d.Attribute.Steps()[0].(tftypes.AttributeName)
	return string(name)
}

// validate returns what the provider says of a configuration.
func validate(t *testing.T, resource string, config values) []*tfprotov6.Diagnostic {
	t.Helper()
	server := serve(t)
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	object, _ := schemas.ResourceSchemas[resource].ValueType().(tftypes.Object)
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, arguments(object, config)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: &value})
	if err != nil {
		t.Fatal(err)
	}
	return resp.Diagnostics
}

// arguments gives each attribute of the object its value, or null.
func arguments(object tftypes.Object, config values) map[string]tftypes.Value {
	given := map[string]tftypes.Value{}
	for name, attributeType := range object.AttributeTypes {
		switch value := config[name].(type) {
		case map[string]string:
			elements := map[string]tftypes.Value{}
			for key, text := range value {
				elements[key] = tftypes.NewValue(tftypes.String, text)
			}
			given[name] = tftypes.NewValue(attributeType, elements)
		default:
			given[name] = tftypes.NewValue(attributeType, value)
		}
	}
	return given
}
