package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/jeton-dev/jeton/internal/provider"
)

func serve(t *testing.T) tfprotov6.ProviderServer {
	t.Helper()
	return provider.NewServer(provider.Options{Version: "test"})()
}

func TestSchema(t *testing.T) {
	t.Parallel()
	resp, err := serve(t).GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, diagnostic := range resp.Diagnostics {
		t.Errorf("%s: %s", diagnostic.Summary, diagnostic.Detail)
	}
	for _, name := range []string{
		"scaleway_function", "scaleway_function_namespace", "scaleway_function_token",
		"scaleway_function_cron", "scaleway_function_domain", "scaleway_function_trigger",
	} {
		resource, ok := resp.ResourceSchemas[name]
		if !ok {
			t.Errorf("no resource %s", name)
			continue
		}
		// The official provider's schemas are of version 0, and a state of a
		// higher version could never go back to it.
		if resource.Version != 0 {
			t.Errorf("%s has schema version %d, want 0", name, resource.Version)
		}
		for _, attribute := range resource.Block.Attributes {
			if attribute.Description == "" {
				t.Errorf("%s.%s has no description", name, attribute.Name)
			}
		}
	}
}

// TestIdentities_AreOptIn: the official provider cannot read a state with identities
// in Terraform 1.12.0 to 1.13.5, so nothing writes them unless that is asked for.
func TestIdentities_AreOptIn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		variable  string
		want      int
		wantError string
	}{
		"not set":       {"", 0, ""},
		"on":            {"true", 6, ""},
		"off":           {"0", 0, ""},
		"not a boolean": {"yes please", 0, "set it to true or false"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, err := provider.OptionsFrom("test", func(name string) string {
				if name != provider.IdentityVariable {
					t.Errorf("the variable %s is read", name)
				}
				return test.variable
			})
			if test.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantError) {
					t.Errorf("the error is %v, want %q in it", err, test.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			resp, err := provider.NewServer(options)().GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(resp.IdentitySchemas); got != test.want {
				t.Errorf("%d types have identities, want %d", got, test.want)
			}
		})
	}
}
