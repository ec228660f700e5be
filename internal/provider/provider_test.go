package provider_test

import (
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
	for _, name := range []string{functionType, namespaceType, tokenType, cronType, domainType, triggerType} {
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
