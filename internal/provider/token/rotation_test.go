package token_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

// rotated returns a token with a rotation block and other arguments.
func rotated(ttl, earlyRenewal any, others arguments) arguments {
	return arguments{"namespace_id": providertest.ID, "rotation": map[string]tftypes.Value{
		"ttl":           tftypes.NewValue(tftypes.String, ttl),
		"early_renewal": tftypes.NewValue(tftypes.String, earlyRenewal),
	}}.With(others)
}

func TestValidateConfig_RefusesInvalidRotations(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function_token", map[string]providertest.ValidationTest{
		"both arguments":               {Config: rotated("24h", "8h", nil)},
		"no early_renewal":             {Config: rotated("24h", nil, nil)},
		"no ttl":                       {Config: rotated(nil, "8h", nil), Want: "set ttl", Attribute: "rotation"},
		"days":                         {Config: rotated("30d", nil, nil), Want: "720h for 30 days", Attribute: "rotation"},
		"one second":                   {Config: rotated("1s", "0s", nil), Want: "write 1m or more", Attribute: "rotation"},
		"negative early_renewal":       {Config: rotated("1h", "-1m", nil), Want: "write 0s or more", Attribute: "rotation"},
		"early_renewal as long as ttl": {Config: rotated("1h", "60m", nil), Want: "early_renewal is 1h and ttl is 1h", Attribute: "rotation"},
		"ttl unknown":                  {Config: rotated(tftypes.UnknownValue, "60m", nil)},
		"early_renewal unknown":        {Config: rotated("1h", tftypes.UnknownValue, nil)},
		"with expires_at":              {Config: rotated("1h", nil, arguments{"expires_at": "2030-01-31T12:00:00Z"}), Want: "remove expires_at", Attribute: "expires_at"},
	})
}
