package tfkit_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

func TestConfiguredTimeout_FallsBackToDefault(t *testing.T) {
	t.Parallel()
	form := map[string]attr.Type{"create": types.StringType, "default": types.StringType}
	block := func(create, standard types.String) types.Object {
		return types.ObjectValueMust(form, map[string]attr.Value{"create": create, "default": standard})
	}
	null, minute, hour := types.StringNull(), types.StringValue("1m"), types.StringValue("1h")
	tests := map[string]struct {
		block types.Object
		want  time.Duration
	}{
		"no block":          {types.ObjectNull(form), 0},
		"empty block":       {block(null, null), 0},
		"own timeout":       {block(minute, hour), time.Minute},
		"default":           {block(null, hour), time.Hour},
		"empty string":      {block(types.StringValue(""), hour), time.Hour},
		"not a duration":    {block(types.StringValue("soon"), null), 0},
		"negative duration": {block(types.StringValue("-1m"), null), 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := tfkit.ConfiguredTimeout(test.block, tfkit.OnCreate)
			if got != test.want || ok != (test.want != 0) {
				t.Errorf("ConfiguredTimeout() = %s, %t, want %s, %t", got, ok, test.want, test.want != 0)
			}
		})
	}
}

func TestWithTimeout_UsesTheStandardWithoutABlock(t *testing.T) {
	t.Parallel()
	before := time.Now()
	ctx, cancel := tfkit.WithTimeout(t.Context(), types.ObjectNull(nil), tfkit.OnDelete, time.Hour)
	defer cancel()
	deadline, ok := ctx.Deadline()
	if !ok || deadline.Before(before.Add(time.Hour)) || deadline.After(time.Now().Add(time.Hour)) {
		t.Errorf("got deadline %s (%t), want one in an hour", deadline, ok)
	}
}
