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
	cronType      = "scaleway_function_cron"
	domainType    = "scaleway_function_domain"
	triggerType   = "scaleway_function_trigger"

	anID = "fr-par/11111111-1111-4111-8111-111111111111"
)

// values are the arguments of a configuration; a string, an int, a
// map[string]string or, for a block, a []values each.
type values map[string]any

// aFunction is a valid function with other arguments.
func aFunction(others values) values {
	v := values{"namespace_id": anID, "runtime": "go126", "handler": "Handle", "privacy": "private"}
	for name, value := range others {
		v[name] = value
	}
	return v
}

// aTrigger is a trigger of a function with its blocks.
func aTrigger(blocks values) values {
	v := values{"function_id": anID, "sqs": []values{}, "nats": []values{}}
	for name, value := range blocks {
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
		"namespace, empty name":        {namespaceType, values{"name": ""}, "", ""},
		"namespace, project":           {namespaceType, values{"project_id": "mine"}, "11111111-1111-1111-1111-111111111111", "project_id"},
		"namespace, region":            {namespaceType, values{"region": "../fr-par"}, "write fr-par, nl-ams or pl-waw", "region"},
		"namespace, new region":        {namespaceType, values{"region": "xx-new"}, "", ""},
		"namespace, long variable":     {namespaceType, values{"environment_variables": map[string]string{"A": strings.Repeat("x", 1001)}}, "", ""},
		"namespace, long key":          {namespaceType, values{"environment_variables": map[string]string{strings.Repeat("x", 101): ""}}, "between 1 and 100", "environment_variables"},
		"namespace, long secret":       {namespaceType, values{"secret_environment_variables": map[string]string{"A": strings.Repeat("s3cr3t", 11000)}}, "", ""},
		"namespace, secret of a token": {namespaceType, values{"secret_environment_variables": map[string]string{"A": strings.Repeat("x", 1063)}}, "", ""},

		"function":                    {functionType, aFunction(nil), "", ""},
		"function, upper case":        {functionType, aFunction(values{"name": "Main"}), "lower-case letters", "name"},
		"function, long name":         {functionType, aFunction(values{"name": strings.Repeat("a", 35)}), "at most 34", "name"},
		"function, privacy":           {functionType, aFunction(values{"privacy": "secret"}), `"public" "private"`, "privacy"},
		"function, http option":       {functionType, aFunction(values{"http_option": "https"}), `"enabled" "redirected"`, "http_option"},
		"function, sandbox":           {functionType, aFunction(values{"sandbox": "v3"}), `"v1" "v2"`, "sandbox"},
		"function, memory":            {functionType, aFunction(values{"memory_limit": 300}), `"512"`, "memory_limit"},
		"function, min scale":         {functionType, aFunction(values{"min_scale": -1}), "between 0 and 2147483647", "min_scale"},
		"function, max scale":         {functionType, aFunction(values{"max_scale": 51}), "", ""},
		"function, no scale":          {functionType, aFunction(values{"max_scale": 0}), "between 1 and 2147483647", "max_scale"},
		"function, huge scale":        {functionType, aFunction(values{"max_scale": 1 << 32}), "between 1 and 2147483647", "max_scale"},
		"function, min above max":     {functionType, aFunction(values{"min_scale": 3, "max_scale": 2}), "min_scale is 3 and max_scale is 2: lower min_scale or raise max_scale", "min_scale"},
		"function, min above 20":      {functionType, aFunction(values{"min_scale": 21}), "max_scale is 20 by default: lower min_scale or raise max_scale", "min_scale"},
		"function, timeout":           {functionType, aFunction(values{"timeout": 0}), "between 1 and 2147483647", "timeout"},
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
		"token, no time":              {tokenType, values{"function_id": anID, "expires_at": ""}, "", ""},
		"token, a name":               {tokenType, values{"function_id": "main"}, "region/uuid", "function_id"},

		"cron":              {cronType, values{"function_id": anID, "schedule": "*/5 * * * *"}, "", ""},
		"cron, Sunday":      {cronType, values{"function_id": anID, "schedule": "0 0 * * 5-7"}, "", ""},
		"cron, Sunday is 7": {cronType, values{"function_id": anID, "schedule": "0 0 * * 7,1"}, "", ""},
		"cron, every":       {cronType, values{"function_id": anID, "schedule": "@every 1h"}, "@every is not supported", "schedule"},
		"cron, long":        {cronType, values{"function_id": anID, "schedule": strings.Repeat(" ", 200) + "@daily"}, "longer than 200 bytes", "schedule"},
		"cron, words":       {cronType, values{"function_id": anID, "schedule": "every hour"}, "write minute, hour", "schedule"},
		"cron, seconds":     {cronType, values{"function_id": anID, "schedule": "* * * * * *"}, "write minute, hour", "schedule"},
		"cron, zone":        {cronType, values{"function_id": anID, "schedule": "TZ=UTC * * * * *"}, "a time zone cannot be given", "schedule"},
		"cron, only a zone": {cronType, values{"function_id": anID, "schedule": "TZ="}, "a time zone cannot be given", "schedule"},
		"cron, arguments":   {cronType, values{"function_id": anID, "schedule": "@daily", "args": `{"a": 1}`}, "", ""},
		"cron, a list":      {cronType, values{"function_id": anID, "schedule": "@daily", "args": "[1]"}, "no JSON object", "args"},

		"domain":             {domainType, values{"function_id": anID, "hostname": "api.example.com"}, "", ""},
		"domain, spelling":   {domainType, values{"function_id": anID[7:], "hostname": "API.Example.com."}, "", ""},
		"domain, IDN":        {domainType, values{"function_id": anID, "hostname": "xn--bcher-kva.example"}, "", ""},
		"domain, unknown":    {domainType, values{"function_id": anID, "hostname": tftypes.UnknownValue}, "", ""},
		"domain, function":   {domainType, values{"function_id": "main", "hostname": "api.example.com"}, "region/uuid", "function_id"},
		"domain, none":       {domainType, values{"function_id": anID, "hostname": ""}, "write one such as api.example.com", "hostname"},
		"domain, one label":  {domainType, values{"function_id": anID, "hostname": "localhost"}, "write one such as api.example.com", "hostname"},
		"domain, scheme":     {domainType, values{"function_id": anID, "hostname": "https://api.example.com"}, "without a scheme", "hostname"},
		"domain, wildcard":   {domainType, values{"function_id": anID, "hostname": "*.example.com"}, "a wildcard", "hostname"},
		"domain, port":       {domainType, values{"function_id": anID, "hostname": "example.com:80"}, "a port", "hostname"},
		"domain, address":    {domainType, values{"function_id": anID, "hostname": "192.0.2.1"}, "write one such as api.example.com", "hostname"},
		"domain, underscore": {domainType, values{"function_id": anID, "hostname": "my_api.example.com"}, "write one such as api.example.com", "hostname"},
		"domain, long":       {domainType, values{"function_id": anID, "hostname": strings.Repeat("a.", 125) + "com."}, "", ""},
		"domain, too long":   {domainType, values{"function_id": anID, "hostname": strings.Repeat("a.", 126) + "com"}, "no host name", "hostname"},

		"trigger, sqs":            {triggerType, aTrigger(values{"sqs": []values{{"queue": "q"}}}), "", ""},
		"trigger, nats":           {triggerType, aTrigger(values{"nats": []values{{"subject": "s", "account_id": anID}}}), "", ""},
		"trigger, unknown":        {triggerType, aTrigger(values{"sqs": tftypes.UnknownValue}), "", ""},
		"trigger of nothing":      {triggerType, aTrigger(nil), "write a block sqs with a queue, or a block nats with a subject", ""},
		"trigger of two things":   {triggerType, aTrigger(values{"sqs": []values{{"queue": "q"}}, "nats": []values{{"subject": "s"}}}), "remove the block sqs or the block nats", "nats"},
		"trigger of two queues":   {triggerType, aTrigger(values{"sqs": []values{{"queue": "q"}, {"queue": "r"}}}), "at most 1", "sqs"},
		"trigger of two subjects": {triggerType, aTrigger(values{"nats": []values{{"subject": "s"}, {"subject": "t"}}}), "at most 1", "nats"},
		"trigger, two and more":   {triggerType, aTrigger(values{"sqs": []values{{"queue": "q"}}, "nats": tftypes.UnknownValue}), "", ""},
		"trigger, no queue":       {triggerType, aTrigger(values{"sqs": []values{{"queue": ""}}}), "at least 1", "sqs"},
		"trigger, project":        {triggerType, aTrigger(values{"sqs": []values{{"queue": "q", "project_id": "mine"}}}), "is no uuid", "sqs"},
		"trigger, region":         {triggerType, aTrigger(values{"nats": []values{{"subject": "s", "region": "Paris"}}}), "write fr-par", "nats"},
		"trigger, account":        {triggerType, aTrigger(values{"nats": []values{{"subject": "s", "account_id": "main"}}}), "region/uuid", "nats"},
		"trigger, empty name":     {triggerType, aTrigger(values{"name": "", "sqs": []values{{"queue": "q", "region": "", "project_id": ""}}}), "", ""},
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
		case []values:
			list, _ := attributeType.(tftypes.List)
			element, _ := list.ElementType.(tftypes.Object)
			blocks := []tftypes.Value{}
			for _, block := range value {
				blocks = append(blocks, tftypes.NewValue(element, arguments(element, block)))
			}
			given[name] = tftypes.NewValue(attributeType, blocks)
		default:
			given[name] = tftypes.NewValue(attributeType, value)
		}
	}
	return given
}
