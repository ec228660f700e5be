package token_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

type arguments = providertest.Config

func TestValidateConfig_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function_token", map[string]providertest.ValidationTest{
		"function":                 {Config: arguments{"function_id": providertest.ID}},
		"namespace without region": {Config: arguments{"namespace_id": providertest.ID[7:]}},
		"one scope empty":          {Config: arguments{"namespace_id": providertest.ID, "function_id": ""}},
		"no scope":                 {Config: arguments{}, Want: "set function_id or namespace_id"},
		"both scopes empty":        {Config: arguments{"namespace_id": "", "function_id": ""}, Want: "set function_id or namespace_id"},
		"both scopes":              {Config: arguments{"namespace_id": providertest.ID, "function_id": providertest.ID}, Want: "remove function_id or namespace_id", Attribute: "namespace_id"},
		"scope unknown":            {Config: arguments{"namespace_id": tftypes.UnknownValue}},
		"both scopes, one unknown": {Config: arguments{"namespace_id": tftypes.UnknownValue, "function_id": providertest.ID}},
		"expires_at with offset":   {Config: arguments{"function_id": providertest.ID, "expires_at": "2022-10-18T11:35:15+02:00"}},
		"expires_at without time":  {Config: arguments{"function_id": providertest.ID, "expires_at": "2030-01-31"}, Want: "2030-01-31T12:00:00Z", Attribute: "expires_at"},
		"expires_at empty":         {Config: arguments{"function_id": providertest.ID, "expires_at": ""}},
		"name as function_id":      {Config: arguments{"function_id": "main"}, Want: "region/uuid", Attribute: "function_id"},
	})
}
