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

func TestSchema_IsVersion0AndDescribesEachAttribute(t *testing.T) {
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
			t.Errorf("got no resource %s", name)
			continue
		}
		// The official provider's schemas have version 0. It could not read a state of a
		// higher version.
		if resource.Version != 0 {
			t.Errorf("%s: got schema version %d, want 0", name, resource.Version)
		}
		for _, attribute := range resource.Block.Attributes {
			if attribute.Description == "" {
				t.Errorf("%s.%s: got no description", name, attribute.Name)
			}
		}
	}
}

// The official provider cannot read a state with identities in Terraform 1.12.0 to 1.13.5.
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
				if name == provider.IdentityVariable {
					return test.variable
				}
				return ""
			})
			if test.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantError) {
					t.Errorf("got error %v, want it to contain %q", err, test.wantError)
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
				t.Errorf("got %d resource types with identities, want %d", got, test.want)
			}
		})
	}
}

// The variable contains a secret key, which must not be in an error.
func TestOptionsFrom_RefusesInvalidAttachments(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{", `{"secret_key":"hidden"}`, `{"url":"http://127.0.0.1:1","secret_key":"hidden"}`} {
		_, err := provider.OptionsFrom("test", func(name string) string {
			if name == provider.AttachmentVariable {
				return text
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), "it is set by jeton tf only") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got error %v", text, err)
		}
	}
}
