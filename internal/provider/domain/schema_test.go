package domain_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

type arguments = providertest.Config

func TestValidateConfig_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function_domain", map[string]providertest.ValidationTest{
		"valid":                    {Config: arguments{"function_id": providertest.ID, "hostname": "api.example.com"}},
		"upper case and final dot": {Config: arguments{"function_id": providertest.ID[7:], "hostname": "API.Example.com."}},
		"IDN":                      {Config: arguments{"function_id": providertest.ID, "hostname": "xn--bcher-kva.example"}},
		"hostname unknown":         {Config: arguments{"function_id": providertest.ID, "hostname": tftypes.UnknownValue}},
		"name as function_id":      {Config: arguments{"function_id": "main", "hostname": "api.example.com"}, Want: "region/uuid", Attribute: "function_id"},
		"empty hostname":           {Config: arguments{"function_id": providertest.ID, "hostname": ""}, Want: "write one such as api.example.com", Attribute: "hostname"},
		"one label":                {Config: arguments{"function_id": providertest.ID, "hostname": "localhost"}, Want: "write one such as api.example.com", Attribute: "hostname"},
		"scheme":                   {Config: arguments{"function_id": providertest.ID, "hostname": "https://api.example.com"}, Want: "without a scheme", Attribute: "hostname"},
		"wildcard":                 {Config: arguments{"function_id": providertest.ID, "hostname": "*.example.com"}, Want: "a wildcard", Attribute: "hostname"},
		"port":                     {Config: arguments{"function_id": providertest.ID, "hostname": "example.com:80"}, Want: "a port", Attribute: "hostname"},
		"IP address":               {Config: arguments{"function_id": providertest.ID, "hostname": "192.0.2.1"}, Want: "write one such as api.example.com", Attribute: "hostname"},
		"underscore":               {Config: arguments{"function_id": providertest.ID, "hostname": "my_api.example.com"}, Want: "write one such as api.example.com", Attribute: "hostname"},
		"longest hostname":         {Config: arguments{"function_id": providertest.ID, "hostname": strings.Repeat("a.", 125) + "com."}},
		"too long hostname":        {Config: arguments{"function_id": providertest.ID, "hostname": strings.Repeat("a.", 126) + "com"}, Want: "no host name", Attribute: "hostname"},
	})
}
