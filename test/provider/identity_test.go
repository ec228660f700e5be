package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider"
	"github.com/jeton-dev/jeton/test/await"
)

// identityType is the identity type of all resources.
var identityType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{"region": tftypes.String, "id": tftypes.String}}

// Only Terraform 1.12 and later import by identity, so the test sends the protocol's
// requests itself.
func TestImport_ByIdentity(t *testing.T) {
	t.Parallel()
	w := start(t)
	n := must(w.api.CreateNamespace(&function.CreateNamespaceRequest{Name: "identified"}))
	await.True(t, "the namespace is ready", func() bool {
		return must(w.api.GetNamespace(&function.GetNamespaceRequest{NamespaceID: n.ID})).Status == function.NamespaceStatusReady
	})
	f := must(w.api.CreateFunction(&function.CreateFunctionRequest{
		Name: "main", NamespaceID: n.ID, Runtime: "node22", Handler: new("handler.handle"), Privacy: function.FunctionPrivacyPrivate,
	}))
	token := w.issue(t, function.CreateTokenRequest{NamespaceID: &n.ID})
	cron := must(w.api.CreateCron(&function.CreateCronRequest{FunctionID: f.ID, Schedule: "@daily"}))
	domain := must(w.api.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "api.example.com"}))
	trigger := must(w.api.CreateTrigger(&function.CreateTriggerRequest{
		FunctionID: f.ID, Name: "main", ScwSqsConfig: &function.CreateTriggerRequestMnqSqsClientConfig{Queue: "orders"},
	}))
	w.options.Identities = true
	server := w.configured(t)
	ids := map[string]string{
		"scaleway_function_namespace": n.ID, "scaleway_function": f.ID, "scaleway_function_token": token,
		"scaleway_function_cron": cron.ID, "scaleway_function_domain": domain.ID, "scaleway_function_trigger": trigger.ID,
	}
	tests := map[string]struct {
		region any
		want   string
	}{
		"region and id":     {"fr-par", ""},
		"the usual region":  {nil, ""},
		"a malformed one":   {"../..", "write it like fr-par/"},
		"an unknown object": {"nl-ams", "Cannot import non-existent"},
	}
	for typeName, id := range ids {
		for name, test := range tests {
			t.Run(typeName+", "+name, func(t *testing.T) {
				t.Parallel()
				state, identity, problem := w.importByIdentity(t, server, typeName, test.region, id)
				if test.want == "Cannot import non-existent" {
					// Terraform reports a null state as an object that does not exist.
					if problem != "" || state != "" {
						t.Errorf("an object that does not exist: got state %q, error %q", state, problem)
					}
					return
				}
				if test.want != "" {
					if !strings.Contains(problem, test.want) {
						t.Errorf("got error %q, want one that contains %q", problem, test.want)
					}
					return
				}
				if problem != "" || state != "fr-par/"+id || identity["region"] != "fr-par" || identity["id"] != id {
					t.Errorf("got id %q, identity %v, error %q", state, identity, problem)
				}
			})
		}
	}
}

// configured returns a provider server that is configured for the test's server.
func (w *world) configured(t *testing.T) tfprotov6.ProviderServer {
	t.Helper()
	server := provider.NewServer(w.options)()
	schema := must(server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}))
	block, _ := schema.Provider.ValueType().(tftypes.Object)
	settings := map[string]tftypes.Value{}
	for name := range block.AttributeTypes {
		settings[name] = tftypes.NewValue(tftypes.String, nil)
	}
	for name, value := range map[string]string{
		"api_url": w.front.URL, "access_key": w.AccessKey, "secret_key": w.SecretKey, "project_id": w.ProjectID,
	} {
		settings[name] = tftypes.NewValue(tftypes.String, value)
	}
	config := must(tfprotov6.NewDynamicValue(block, tftypes.NewValue(block, settings)))
	resp := must(server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &config}))
	for _, d := range resp.Diagnostics {
		t.Fatalf("%s: %s", d.Summary, d.Detail)
	}
	return server
}

// importByIdentity imports and reads an object. It returns the id in the state, which
// is "" for a null state, the identity, and the first error.
func (w *world) importByIdentity(t *testing.T, server tfprotov6.ProviderServer, typeName string, region any, id string) (string, map[string]string, string) {
	t.Helper()
	named := must(tfprotov6.NewDynamicValue(identityType, tftypes.NewValue(identityType, map[string]tftypes.Value{
		"region": tftypes.NewValue(tftypes.String, region), "id": tftypes.NewValue(tftypes.String, id),
	})))
	imported := must(server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
		TypeName: typeName, Identity: &tfprotov6.ResourceIdentityData{IdentityData: &named},
	}))
	if problem := firstError(imported.Diagnostics); problem != "" {
		return "", nil, problem
	}
	object := imported.ImportedResources[0]
	read := must(server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: typeName, CurrentState: object.State, CurrentIdentity: object.Identity, Private: object.Private,
	}))
	if problem := firstError(read.Diagnostics); problem != "" {
		return "", nil, problem
	}
	identity := fields(t, read.NewIdentity.IdentityData, identityType)
	schema := must(server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}))
	return fields(t, read.NewState, schema.ResourceSchemas[typeName].ValueType())["id"], identity, ""
}

func firstError(diagnostics []*tfprotov6.Diagnostic) string {
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return d.Summary + ": " + d.Detail
		}
	}
	return ""
}

// fields returns the string attributes of an object.
func fields(t *testing.T, value *tfprotov6.DynamicValue, form tftypes.Type) map[string]string {
	t.Helper()
	object := must(value.Unmarshal(form))
	var attributes map[string]tftypes.Value
	if err := object.As(&attributes); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, attribute := range attributes {
		var text string
		if attribute.Type().Is(tftypes.String) && attribute.IsKnown() && !attribute.IsNull() && attribute.As(&text) == nil {
			texts[name] = text
		}
	}
	return texts
}

// A provider without identities must be able to read the state.
func TestIdentity_IsNotInState(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.commandLine(t, namespaceToken(""))
	c.apply()
	c.reimport(tokenAddress)
	c.apply("-refresh-only")
	if state := c.read("terraform.tfstate"); strings.Contains(state, `"identity": {`) {
		t.Errorf("the state contains an identity:\n%s", state)
	}
}
