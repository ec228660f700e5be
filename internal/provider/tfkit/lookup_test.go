package tfkit_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

func TestLookup_FindsExactlyOneObject(t *testing.T) {
	t.Parallel()
	list := []*string{new("shop"), nil, new("shopping"), new("web"), new("web")}
	tests := map[string]struct{ name, want string }{
		"one":     {"shop", ""},
		"none":    {"sho", `There is no cron with the name "sho" in function f: `},
		"several": {"web", `There are 2 crons with the name "web" in function f: set cron_id.`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var diags diag.Diagnostics
			got := tfkit.Lookup[string]{
				Noun: "cron", Place: "function f", Name: test.name,
				NameOf: func(s *string) string { return *s }, Ambiguous: "set cron_id",
			}.In(list, &diags)
			if test.want == "" {
				if got == nil || *got != test.name || diags.HasError() {
					t.Errorf("got %v and %v, want %q", got, diags, test.name)
				}
				return
			}
			if got != nil || len(diags) != 1 || !strings.HasPrefix(diags[0].Detail(), test.want) {
				t.Errorf("got %v and %v, want an error that begins with %q", got, diags, test.want)
			}
		})
	}
}
