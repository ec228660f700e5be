package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestRotationValidation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ttl, early any
		others     values
		want, at   string
	}{
		"both":                 {"24h", "8h", nil, "", ""},
		"no early renewal":     {"24h", nil, nil, "", ""},
		"no ttl":               {nil, "8h", nil, "set ttl", "rotation"},
		"days":                 {"30d", nil, nil, "720h for 30 days", "rotation"},
		"a second":             {"1s", "0s", nil, "write 1m or more", "rotation"},
		"negative":             {"1h", "-1m", nil, "write 0s or more", "rotation"},
		"as early as it lives": {"1h", "60m", nil, "early_renewal is 1h and ttl is 1h", "rotation"},
		"not known yet":        {tftypes.UnknownValue, "60m", nil, "", ""},
		"early not known yet":  {"1h", tftypes.UnknownValue, nil, "", ""},
		"with expires_at":      {"1h", nil, values{"expires_at": "2030-01-31T12:00:00Z"}, "remove expires_at", "expires_at"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := values{"namespace_id": anID, "rotation": map[string]tftypes.Value{
				"ttl":           tftypes.NewValue(tftypes.String, test.ttl),
				"early_renewal": tftypes.NewValue(tftypes.String, test.early),
			}}
			for argument, value := range test.others {
				config[argument] = value
			}
			diagnostics := validate(t, tokenType, config)
			if test.want == "" {
				if len(diagnostics) != 0 {
					t.Errorf("%d messages, want none: %v", len(diagnostics), diagnostics)
				}
				return
			}
			if len(diagnostics) != 1 || !strings.Contains(diagnostics[0].Detail, test.want) {
				t.Fatalf("the messages are %v, want one that says %q", diagnostics, test.want)
			}
			if at := attribute(diagnostics[0]); at != test.at {
				t.Errorf("the message is about %q, want %q", at, test.at)
			}
		})
	}
}
