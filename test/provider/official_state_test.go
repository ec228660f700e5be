package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// What follows writes states as the official provider writes them, by the rules
// that its code follows; testdata/official-example.tfstate is one that it really
// wrote.

// values are the attributes of an object in a state.
type values map[string]any

// with returns the values with others in their place.
func (v values) with(others values) values {
	changed := maps.Clone(v)
	maps.Copy(changed, others)
	return changed
}

// arguments are those of a resource in a configuration: names and expressions.
type arguments map[string]string

func (a arguments) with(others arguments) arguments {
	changed := maps.Clone(a)
	maps.Copy(changed, others)
	return changed
}

// officialObject is an object that exists, in a configuration and in a state of
// the official provider. What the state does not name is null there.
type officialObject struct {
	typeName  string
	arguments arguments
	state     values
}

// configuration writes the resource. An argument without an expression is left
// out, and one that begins with a brace is a block.
func (o officialObject) configuration(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q %q {\n", o.typeName, name)
	for _, argument := range slices.Sorted(maps.Keys(o.arguments)) {
		switch expression := o.arguments[argument]; {
		case argument == "timeouts":
			fmt.Fprintf(&b, "  timeouts %s\n", expression)
		case expression != "":
			fmt.Fprintf(&b, "  %s = %s\n", argument, expression)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// The private data that SDKv2 keeps: the timeouts of a resource that has some, in
// nanoseconds, under a key of its own, and null otherwise.
const (
	privateOfNamespaces = `{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":300000000000,"default":300000000000,"delete":300000000000,"read":300000000000,"update":300000000000}}`
	privateOfFunctions  = `{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":900000000000,"default":900000000000,"delete":900000000000,"read":900000000000,"update":900000000000}}`
	privateOfTokens     = `null`
)

// officialState writes a state of the objects, each under its name.
func officialState(t *testing.T, objects map[string]officialObject) string {
	t.Helper()
	schema := readOfficialSchema(t)
	private := map[string]string{namespaceType: privateOfNamespaces, functionType: privateOfFunctions, tokenType: privateOfTokens, cronType: privateOfNamespaces}
	var resources []any
	for name, object := range objects {
		attributes, sensitive := values{}, []any{}
		for attribute, described := range schema.Resources[object.typeName].Attributes {
			attributes[attribute] = nil
			if described.Sensitive {
				sensitive = append(sensitive, []any{values{"type": "get_attr", "value": attribute}})
			}
		}
		if schema.Resources[object.typeName].Timeouts != nil {
			attributes["timeouts"] = nil
		}
		resources = append(resources, values{
			"mode": "managed", "type": object.typeName, "name": name,
			"provider": `provider["registry.terraform.io/` + officialAddress + `"]`,
			"instances": []any{values{
				"schema_version": 0, "attributes": attributes.with(object.state),
				"sensitive_attributes": sensitive, "private": []byte(private[object.typeName]),
			}},
		})
	}
	return string(must(json.Marshal(values{
		"version": 4, "terraform_version": "1.11.4", "serial": 5, "lineage": "162766d7-3381-f135-c0f9-7a5b226334b0",
		"outputs": values{}, "resources": resources, "check_results": nil,
	})))
}

// The types of the objects.
const (
	namespaceType = "scaleway_function_namespace"
	functionType  = "scaleway_function"
	tokenType     = "scaleway_function_token"
	cronType      = "scaleway_function_cron"
)

// Objects in states that tests look at.
const (
	secretPlain  = "correct-horse-battery-staple"
	networkID    = "22222222-2222-4222-8222-222222222222"
	officialTime = "2040-10-18T09:35:15Z"
)

// officialObjects makes, of each type, an object that has everything and one that
// has nothing but what it must.
func (w *world) officialObjects(t *testing.T) map[string]officialObject {
	t.Helper()
	full := w.readyNamespace(&function.CreateNamespaceRequest{
		Name: "full", Description: new("all of it"), Tags: []string{"b", "a"}, EnvironmentVariables: &map[string]string{"A": "1"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "HIDDEN", Value: new(secretPlain)}, {Key: "OTHER", Value: new("")}},
	})
	bare := w.readyNamespace(&function.CreateNamespaceRequest{Name: "bare"})
	private := function.FunctionPrivacyPrivate
	fullFunction := must(w.api.CreateFunction(&function.CreateFunctionRequest{
		Name: "full", NamespaceID: full.ID, Runtime: "node22", Handler: new("handler.handle"), Privacy: private,
		Description: new("all of it"), Tags: []string{"b", "a"}, EnvironmentVariables: &map[string]string{"A": "1"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "HIDDEN", Value: new(secretPlain)}},
		MinScale:                   new(uint32(0)), MaxScale: new(uint32(3)), MemoryLimit: new(uint32(512)), PrivateNetworkID: new(networkID),
		HTTPOption: function.FunctionHTTPOptionRedirected,
	}))
	bareFunction := must(w.api.CreateFunction(&function.CreateFunctionRequest{
		Name: "bare", NamespaceID: bare.ID, Runtime: "node22", Handler: new("handler.handle"), Privacy: private, MaxScale: new(uint32(20)),
	}))
	at := must(time.Parse(time.RFC3339, officialTime))
	//nolint:staticcheck // The end of these tokens is announced, and the provider is about them.
	fullToken := must(w.api.CreateToken(&function.CreateTokenRequest{NamespaceID: &full.ID, Description: new("all of it"), ExpiresAt: &at}))
	//nolint:staticcheck // As above.
	bareToken := must(w.api.CreateToken(&function.CreateTokenRequest{FunctionID: &bareFunction.ID}))
	fullCron := must(w.api.CreateCron(&function.CreateCronRequest{
		FunctionID: bareFunction.ID, Schedule: "*/5 * * * *", Name: new("full"), Args: &scw.JSONObject{"b": []int{1, 2}, "a": "x"},
	}))
	bareCron := must(w.api.CreateCron(&function.CreateCronRequest{FunctionID: bareFunction.ID, Schedule: "@daily"}))
	return map[string]officialObject{
		"full_namespace": {namespaceType, arguments{
			"name": `"full"`, "description": `"all of it"`, "tags": `["b", "a"]`, "environment_variables": `{ A = "1" }`,
			"secret_environment_variables": `{ HIDDEN = "` + secretPlain + `", OTHER = "" }`,
		}, namespaceState(full)},
		"bare_namespace": {namespaceType, arguments{"name": `"bare"`}, namespaceState(bare)},
		"full_function": {functionType, arguments{
			"name": `"full"`, "namespace_id": `"fr-par/` + full.ID + `"`, "runtime": `"node22"`, "handler": `"handler.handle"`, "privacy": `"private"`,
			"description": `"all of it"`, "tags": `["b", "a"]`, "environment_variables": `{ A = "1" }`,
			"secret_environment_variables": `{ HIDDEN = "` + secretPlain + `" }`, "max_scale": "3", "memory_limit": "512",
			"private_network_id": `"fr-par/` + networkID + `"`, "http_option": `"redirected"`,
		}, functionState(fullFunction)},
		"bare_function": {functionType, arguments{
			"name": `"bare"`, "namespace_id": `"fr-par/` + bare.ID + `"`, "runtime": `"node22"`, "handler": `"handler.handle"`, "privacy": `"private"`,
		}, functionState(bareFunction)},
		"full_token": {tokenType, arguments{
			"namespace_id": `"fr-par/` + full.ID + `"`, "description": `"all of it"`, "expires_at": `"` + officialTime + `"`,
		}, tokenState(fullToken).with(values{"namespace_id": full.ID, "expires_at": officialTime})},
		"bare_token": {tokenType, arguments{"function_id": `"fr-par/` + bareFunction.ID + `"`}, tokenState(bareToken).with(values{"function_id": bareFunction.ID})},
		"full_cron": {cronType, arguments{
			"function_id": `"fr-par/` + bareFunction.ID + `"`, "schedule": `"*/5 * * * *"`, "name": `"full"`, "args": `"{ \"b\": [1, 2], \"a\": \"x\" }"`,
		}, cronState(fullCron).with(values{"args": `{"a":"x","b":[1,2]}`})},
		"bare_cron": {cronType, arguments{"function_id": `"` + bareFunction.ID + `"`, "schedule": `"@daily"`, "args": `jsonencode({})`}, cronState(bareCron)},
	}
}

func (w *world) readyNamespace(request *function.CreateNamespaceRequest) *function.Namespace {
	made := must(w.api.CreateNamespace(request))
	return must(w.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: made.ID, RetryInterval: new(50 * time.Millisecond)}))
}

func hashesOf(secrets []*function.SecretHashedValue) any {
	hashes := map[string]string{}
	for _, secret := range secrets {
		hashes[secret.Key] = secret.HashedValue
	}
	return orNull(hashes)
}

// orNull writes a collection that is not configured, as SDKv2 does.
func orNull[K comparable, V any](m map[K]V) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

func listOrNull(l []string) any {
	if len(l) == 0 {
		return nil
	}
	return l
}

func namespaceState(n *function.Namespace) values {
	return values{
		"id": "fr-par/" + n.ID, "name": n.Name, "description": *n.Description, "tags": listOrNull(n.Tags),
		"environment_variables": orNull(n.EnvironmentVariables), "secret_environment_variables": hashesOf(n.SecretEnvironmentVariables),
		"registry_endpoint": n.RegistryEndpoint, "registry_namespace_id": n.RegistryNamespaceID,
		"region": "fr-par", "project_id": n.ProjectID, "organization_id": n.OrganizationID,
	}
}

func functionState(f *function.Function) values {
	network := ""
	if f.PrivateNetworkID != nil {
		network = "fr-par/" + *f.PrivateNetworkID
	}
	return values{
		"id": "fr-par/" + f.ID, "namespace_id": f.NamespaceID, "name": f.Name, "description": *f.Description, "tags": listOrNull(f.Tags),
		"environment_variables": orNull(f.EnvironmentVariables), "secret_environment_variables": hashesOf(f.SecretEnvironmentVariables),
		"privacy": f.Privacy, "runtime": f.Runtime, "handler": f.Handler, "min_scale": f.MinScale, "max_scale": f.MaxScale,
		"memory_limit": f.MemoryLimit, "cpu_limit": f.CPULimit, "timeout": int(f.Timeout.Seconds), "deploy": false,
		"http_option": f.HTTPOption, "sandbox": f.Sandbox, "domain_name": f.DomainName, "private_network_id": network, "region": "fr-par",
	}
}

// cronState is that of a cron that is ready, with the function as it is stored:
// with its region, however it is configured.
func cronState(made *function.Cron) values {
	return values{
		"id": "fr-par/" + made.ID, "function_id": "fr-par/" + made.FunctionID, "schedule": made.Schedule, "name": made.Name,
		"args": "{}", "status": "ready", "region": "fr-par",
	}
}

func tokenState(made *function.Token) values {
	return values{
		"id": "fr-par/" + made.ID, "description": *made.Description, "token": made.Token,
		"function_id": "", "namespace_id": "", "expires_at": "",
	}
}
