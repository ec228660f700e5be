package official

import (
	"context"
	"fmt"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// Values that states contain in several spellings.
const (
	// Secret is the value of the secret variable HIDDEN.
	Secret = "correct-horse-battery-staple"
	// NetworkID is the uuid of the private network.
	NetworkID = "22222222-2222-4222-8222-222222222222"
	// Expiry is the expiry of FullToken.
	Expiry = "2040-10-18T09:35:15Z"
)

// The names of the objects: for most types one with all arguments, and one with only the
// required arguments.
const (
	FullNamespace = "full_namespace"
	BareNamespace = "bare_namespace"
	FullFunction  = "full_function"
	BareFunction  = "bare_function"
	FullToken     = "full_token"
	BareToken     = "bare_token"
	FullCron      = "full_cron"
	BareCron      = "bare_cron"
	TheDomain     = "domain"
	QueueTrigger  = "queue_trigger"
	NATSTrigger   = "nats_trigger"
)

// MakeObjects creates the objects on a server, and returns them by name.
func MakeObjects(ctx context.Context, api *function.API) (map[string]Object, error) {
	m := maker{ctx: ctx, api: api, objects: map[string]Object{}}
	full := m.namespace(FullNamespace, &function.CreateNamespaceRequest{
		Name: "full", Description: new("all of it"), Tags: []string{"b", "a"}, EnvironmentVariables: &map[string]string{"A": "1"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "HIDDEN", Value: new(Secret)}, {Key: "OTHER", Value: new("")}},
	}, Arguments{
		"description": `"all of it"`, "tags": `["b", "a"]`, "environment_variables": `{ A = "1" }`,
		"secret_environment_variables": `{ HIDDEN = "` + Secret + `", OTHER = "" }`,
	})
	bare := m.namespace(BareNamespace, &function.CreateNamespaceRequest{Name: "bare"}, Arguments{})
	m.function(FullFunction, &function.CreateFunctionRequest{
		Name: "full", NamespaceID: full, Description: new("all of it"), Tags: []string{"b", "a"}, EnvironmentVariables: &map[string]string{"A": "1"},
		SecretEnvironmentVariables: []*function.Secret{{Key: "HIDDEN", Value: new(Secret)}},
		MaxScale:                   new(uint32(3)), MemoryLimit: new(uint32(512)), PrivateNetworkID: new(NetworkID), HTTPOption: function.FunctionHTTPOptionRedirected,
	}, Arguments{
		"description": `"all of it"`, "tags": `["b", "a"]`, "environment_variables": `{ A = "1" }`,
		"secret_environment_variables": `{ HIDDEN = "` + Secret + `" }`,
		"max_scale":                    "3", "memory_limit": "512", "private_network_id": `"fr-par/` + NetworkID + `"`, "http_option": `"redirected"`,
	})
	called := m.function(BareFunction, &function.CreateFunctionRequest{Name: "bare", NamespaceID: bare, MaxScale: new(uint32(20))}, Arguments{})
	expiry, err := time.Parse(time.RFC3339, Expiry)
	if err != nil {
		return nil, err
	}
	m.token(FullToken, &function.CreateTokenRequest{NamespaceID: &full, Description: new("all of it"), ExpiresAt: &expiry},
		Arguments{"namespace_id": `"fr-par/` + full + `"`, "description": `"all of it"`, "expires_at": `"` + Expiry + `"`},
		Values{"namespace_id": full, "expires_at": Expiry})
	m.token(BareToken, &function.CreateTokenRequest{FunctionID: &called},
		Arguments{"function_id": `"fr-par/` + called + `"`}, Values{"function_id": called})
	m.cron(FullCron, &function.CreateCronRequest{
		FunctionID: called, Schedule: "*/5 * * * *", Name: new("full"), Args: &scw.JSONObject{"b": []int{1, 2}, "a": "x"},
	}, Arguments{"name": `"full"`, "args": `jsonencode({ a = "x", b = [1, 2] })`}, Values{"args": `{"a":"x","b":[1,2]}`})
	m.cron(BareCron, &function.CreateCronRequest{FunctionID: called, Schedule: "@daily"}, Arguments{}, nil)
	m.domain(TheDomain, called)
	m.trigger(QueueTrigger, &function.CreateTriggerRequest{
		FunctionID: called, Name: "queue", Description: new("all of it"), ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "orders"},
	}, Arguments{"name": `"queue"`, "description": `"all of it"`, "sqs": blockStart + "    queue = \"orders\"\n  }"})
	m.trigger(NATSTrigger, &function.CreateTriggerRequest{
		FunctionID: called, Name: "subject", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "orders.>", MnqNatsAccountID: NetworkID},
	}, Arguments{"name": `"subject"`, "nats": blockStart + "    subject = \"orders.>\"\n    account_id = \"fr-par/" + NetworkID + "\"\n  }"})
	return m.objects, m.err
}

// maker creates objects until a call fails. It may be used by one goroutine only.
type maker struct {
	ctx     context.Context
	api     *function.API
	objects map[string]Object
	err     error
}

func (m *maker) namespace(name string, request *function.CreateNamespaceRequest, arguments Arguments) string {
	n := try(m, func() (*function.Namespace, error) { return m.api.CreateNamespace(request, scw.WithContext(m.ctx)) })
	n = try(m, func() (*function.Namespace, error) {
		return m.api.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: new(50 * time.Millisecond)}, scw.WithContext(m.ctx))
	})
	m.objects[name] = Object{NamespaceType, Arguments{"name": quote(n.Name)}, Values{
		"id": "fr-par/" + n.ID, "name": n.Name, "description": n.Description, "tags": orNull(len(n.Tags), n.Tags),
		"environment_variables":        orNull(len(n.EnvironmentVariables), n.EnvironmentVariables),
		"secret_environment_variables": hashes(n.SecretEnvironmentVariables),
		"registry_endpoint":            n.RegistryEndpoint, "registry_namespace_id": n.RegistryNamespaceID,
		"region": "fr-par", "project_id": n.ProjectID, "organization_id": n.OrganizationID,
	}}.With(arguments, nil)
	return n.ID
}

func (m *maker) function(name string, request *function.CreateFunctionRequest, arguments Arguments) string {
	request.Runtime, request.Handler, request.Privacy = "node22", new("handler.handle"), function.FunctionPrivacyPrivate
	f := try(m, func() (*function.Function, error) { return m.api.CreateFunction(request, scw.WithContext(m.ctx)) })
	network := ""
	if f.PrivateNetworkID != nil {
		network = "fr-par/" + *f.PrivateNetworkID
	}
	m.objects[name] = Object{FunctionType, Arguments{
		"name": quote(f.Name), "namespace_id": quote("fr-par/" + f.NamespaceID), "runtime": `"node22"`, "handler": `"handler.handle"`, "privacy": `"private"`,
	}, Values{
		"id": "fr-par/" + f.ID, "namespace_id": f.NamespaceID, "name": f.Name, "description": f.Description, "tags": orNull(len(f.Tags), f.Tags),
		"environment_variables":        orNull(len(f.EnvironmentVariables), f.EnvironmentVariables),
		"secret_environment_variables": hashes(f.SecretEnvironmentVariables),
		"privacy":                      f.Privacy, "runtime": f.Runtime, "handler": f.Handler, "min_scale": f.MinScale, "max_scale": f.MaxScale,
		"memory_limit": f.MemoryLimit, "cpu_limit": f.CPULimit, "timeout": 300, "deploy": false,
		"http_option": f.HTTPOption, "sandbox": f.Sandbox, "domain_name": f.DomainName, "private_network_id": network, "region": "fr-par",
	}}.With(arguments, nil)
	return f.ID
}

func (m *maker) token(name string, request *function.CreateTokenRequest, arguments Arguments, state Values) {
	//nolint:staticcheck // The SDK marks tokens as deprecated; Jeton supports them.
	made := try(m, func() (*function.Token, error) { return m.api.CreateToken(request, scw.WithContext(m.ctx)) })
	m.objects[name] = Object{TokenType, arguments, Values{
		"id": "fr-par/" + made.ID, "description": made.Description, "token": made.Token, "function_id": "", "namespace_id": "", "expires_at": "",
	}}.With(nil, state)
}

// cron creates a cron. Its state contains the function's id with the region, however it
// is configured, as with the official provider.
func (m *maker) cron(name string, request *function.CreateCronRequest, arguments Arguments, state Values) {
	c := try(m, func() (*function.Cron, error) { return m.api.CreateCron(request, scw.WithContext(m.ctx)) })
	m.objects[name] = Object{CronType, Arguments{
		"function_id": quote("fr-par/" + request.FunctionID), "schedule": quote(request.Schedule), "args": `"{}"`,
	}, Values{
		"id": "fr-par/" + c.ID, "function_id": "fr-par/" + c.FunctionID, "schedule": c.Schedule, "name": c.Name,
		"args": "{}", "status": "ready", "region": "fr-par",
	}}.With(arguments, state)
}

func (m *maker) domain(name, functionID string) {
	request := &function.CreateDomainRequest{FunctionID: functionID, Hostname: "api.example.com"}
	d := try(m, func() (*function.Domain, error) { return m.api.CreateDomain(request, scw.WithContext(m.ctx)) })
	m.objects[name] = Object{DomainType, Arguments{
		"function_id": quote("fr-par/" + functionID), "hostname": quote(request.Hostname),
	}, Values{
		"id": "fr-par/" + d.ID, "function_id": "fr-par/" + functionID, "hostname": request.Hostname, "url": "https://" + request.Hostname, "region": "fr-par",
	}}
}

// trigger creates a trigger. The blocks of its state are as configured: the official
// provider reads only the name and the description of a trigger. Like for tokens, the
// region is null.
func (m *maker) trigger(name string, request *function.CreateTriggerRequest, arguments Arguments) {
	t := try(m, func() (*function.Trigger, error) { return m.api.CreateTrigger(request, scw.WithContext(m.ctx)) })
	state := Values{
		"id": "fr-par/" + t.ID, "function_id": "fr-par/" + request.FunctionID, "name": t.Name, "description": t.Description,
	}
	if c := t.ScwSqsConfig; c != nil {
		state["sqs"] = []any{Values{"namespace_id": "", "project_id": c.MnqProjectID, "queue": c.Queue, "region": c.MnqRegion}}
	}
	if c := t.ScwNatsConfig; c != nil {
		state["nats"] = []any{Values{"account_id": "fr-par/" + c.MnqNatsAccountID, "project_id": c.MnqProjectID, "subject": c.Subject, "region": c.MnqRegion}}
	}
	m.objects[name] = Object{TriggerType, Arguments{"function_id": quote("fr-par/" + request.FunctionID)}, state}.With(arguments, nil)
}

// try returns the result of a call. After a failed call it calls nothing and returns an
// empty object.
func try[T any](m *maker, call func() (*T, error)) *T {
	if m.err == nil {
		var made *T
		if made, m.err = call(); m.err == nil {
			return made
		}
	}
	return new(T)
}

func quote(text string) string {
	return fmt.Sprintf("%q", text)
}

func hashes(secrets []*function.SecretHashedValue) any {
	shown := map[string]string{}
	for _, secret := range secrets {
		shown[secret.Key] = secret.HashedValue
	}
	return orNull(len(shown), shown)
}

// orNull returns the collection, or nil if it is empty: terraform-plugin-sdk/v2 stores a
// collection that is not configured as null.
func orNull(length int, collection any) any {
	if length == 0 {
		return nil
	}
	return collection
}
