package cron_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

type arguments = providertest.Config

func TestValidateConfig_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function_cron", map[string]providertest.ValidationTest{
		"every 5 minutes":    {Config: arguments{"function_id": providertest.ID, "schedule": "*/5 * * * *"}},
		"range up to Sunday": {Config: arguments{"function_id": providertest.ID, "schedule": "0 0 * * 5-7"}},
		"Sunday as 7":        {Config: arguments{"function_id": providertest.ID, "schedule": "0 0 * * 7,1"}},
		"@every":             {Config: arguments{"function_id": providertest.ID, "schedule": "@every 1h"}, Want: "@every is not supported", Attribute: "schedule"},
		"long schedule":      {Config: arguments{"function_id": providertest.ID, "schedule": strings.Repeat(" ", 200) + "@daily"}, Want: "at most 200 bytes", Attribute: "schedule"},
		"schedule in words":  {Config: arguments{"function_id": providertest.ID, "schedule": "every hour"}, Want: "write minute, hour", Attribute: "schedule"},
		"field for seconds":  {Config: arguments{"function_id": providertest.ID, "schedule": "* * * * * *"}, Want: "write minute, hour", Attribute: "schedule"},
		"time zone":          {Config: arguments{"function_id": providertest.ID, "schedule": "TZ=UTC * * * * *"}, Want: "a time zone cannot be given", Attribute: "schedule"},
		"only a time zone":   {Config: arguments{"function_id": providertest.ID, "schedule": "TZ="}, Want: "a time zone cannot be given", Attribute: "schedule"},
		"object as args":     {Config: arguments{"function_id": providertest.ID, "schedule": "@daily", "args": `{"a": 1}`}},
		"list as args":       {Config: arguments{"function_id": providertest.ID, "schedule": "@daily", "args": "[1]"}, Want: "not a JSON object", Attribute: "args"},
	})
}
