package trigger_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

type arguments = providertest.Config

// config returns a trigger without a source, with other arguments.
func config(others arguments) arguments {
	return arguments{"function_id": providertest.ID, "sqs": []arguments{}, "nats": []arguments{}}.With(others)
}

func TestValidateConfig_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function_trigger", map[string]providertest.ValidationTest{
		"sqs":                {Config: config(arguments{"sqs": []arguments{{"queue": "q"}}})},
		"nats":               {Config: config(arguments{"nats": []arguments{{"subject": "s", "account_id": providertest.ID}}})},
		"sqs unknown":        {Config: config(arguments{"sqs": tftypes.UnknownValue})},
		"no source":          {Config: config(nil), Want: "write a block sqs with a queue, or a block nats with a subject"},
		"both sources":       {Config: config(arguments{"sqs": []arguments{{"queue": "q"}}, "nats": []arguments{{"subject": "s"}}}), Want: "remove the block sqs or the block nats", Attribute: "nats"},
		"two queues":         {Config: config(arguments{"sqs": []arguments{{"queue": "q"}, {"queue": "r"}}}), Want: "at most 1", Attribute: "sqs"},
		"two subjects":       {Config: config(arguments{"nats": []arguments{{"subject": "s"}, {"subject": "t"}}}), Want: "at most 1", Attribute: "nats"},
		"one source unknown": {Config: config(arguments{"sqs": []arguments{{"queue": "q"}}, "nats": tftypes.UnknownValue})},
		"empty queue":        {Config: config(arguments{"sqs": []arguments{{"queue": ""}}}), Want: "at least 1", Attribute: "sqs"},
		"invalid project_id": {Config: config(arguments{"sqs": []arguments{{"queue": "q", "project_id": "mine"}}}), Want: "is no uuid", Attribute: "sqs"},
		"invalid region":     {Config: config(arguments{"nats": []arguments{{"subject": "s", "region": "Paris"}}}), Want: "write fr-par", Attribute: "nats"},
		"invalid account_id": {Config: config(arguments{"nats": []arguments{{"subject": "s", "account_id": "main"}}}), Want: "region/uuid", Attribute: "nats"},
		"empty name":         {Config: config(arguments{"name": "", "sqs": []arguments{{"queue": "q", "region": "", "project_id": ""}}})},
	})
}
