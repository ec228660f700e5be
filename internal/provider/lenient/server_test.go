package lenient_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider"
)

const (
	cronType    = "scaleway_function_cron"
	triggerType = "scaleway_function_trigger"
	functionID  = "fr-par/11111111-1111-4111-8111-111111111111"
	ownID       = "fr-par/22222222-2222-4222-8222-222222222222"
)

// fields are the attributes of an object: a string, []fields for a list of blocks,
// fields for a single block, or nil. A missing attribute is null.
type fields map[string]any

// value returns a value of a type. A missing attribute is null, and a missing list
// of blocks is empty.
func value(form tftypes.Type, of any) tftypes.Value {
	switch form := form.(type) {
	case tftypes.Object:
		given, ok := of.(fields)
		if !ok {
			return tftypes.NewValue(form, nil)
		}
		attributes := map[string]tftypes.Value{}
		for name, attribute := range form.AttributeTypes {
			attributes[name] = value(attribute, given[name])
		}
		return tftypes.NewValue(form, attributes)
	case tftypes.List:
		blocks := []tftypes.Value{}
		given, _ := of.([]fields)
		for _, block := range given {
			blocks = append(blocks, value(form.ElementType, block))
		}
		return tftypes.NewValue(form, blocks)
	default:
		return tftypes.NewValue(form, of)
	}
}

func TestPlanResourceChange_SetsLegacyFlagOnlyForEquivalentValues(t *testing.T) {
	t.Parallel()
	cron := func(more fields) fields {
		all := fields{"id": ownID, "function_id": functionID, "schedule": "@daily", "name": "main", "args": "{}", "status": "ready", "region": "fr-par"}
		for name, v := range more {
			all[name] = v
		}
		return all
	}
	trigger := func(more fields) fields {
		all := fields{
			"id": ownID, "function_id": functionID, "name": "main", "description": "", "region": "fr-par",
			"sqs": []fields{{"queue": "orders", "namespace_id": "", "project_id": "p", "region": "fr-par"}},
		}
		for name, v := range more {
			all[name] = v
		}
		return all
	}
	args := fields{"function_id": functionID, "schedule": "@daily"}
	with := func(of, more fields) fields {
		all := fields{}
		for _, some := range []fields{of, more} {
			for name, v := range some {
				all[name] = v
			}
		}
		return all
	}
	queue := fields{"function_id": functionID, "sqs": []fields{{"queue": "orders"}}}
	tests := map[string]struct {
		of              string
		prior, config   fields
		proposed        fields
		noChange, legal bool
	}{
		"no difference":                 {cronType, cron(nil), args, cron(nil), true, true},
		"another schedule":              {cronType, cron(nil), with(args, fields{"schedule": "@hourly"}), cron(fields{"schedule": "@hourly"}), false, true},
		"only timeouts":                 {cronType, cron(nil), with(args, fields{"timeouts": fields{"create": "1m"}}), cron(fields{"timeouts": fields{"create": "1m"}}), true, false},
		"timeouts and a schedule":       {cronType, cron(nil), with(args, fields{"schedule": "@hourly", "timeouts": fields{"create": "1m"}}), cron(fields{"schedule": "@hourly", "timeouts": fields{"create": "1m"}}), false, true},
		"a region missing in the state": {cronType, cron(fields{"region": nil}), with(args, fields{"region": "fr-par"}), cron(nil), true, false},
		"another region":                {cronType, cron(fields{"region": nil, "function_id": functionID[7:]}), with(args, fields{"region": "nl-ams", "function_id": functionID[7:]}), cron(fields{"region": "nl-ams", "function_id": functionID[7:]}), false, true},
		"an empty name":                 {cronType, cron(nil), with(args, fields{"name": ""}), cron(fields{"name": ""}), true, false},
		"an empty name, create":         {cronType, nil, with(args, fields{"name": ""}), fields{"function_id": functionID, "schedule": "@daily", "name": ""}, false, false},
		"an empty name and a schedule":  {cronType, cron(nil), with(args, fields{"name": "", "schedule": "@hourly"}), cron(fields{"name": "", "schedule": "@hourly"}), false, false},
		"null description":              {triggerType, trigger(fields{"description": nil}), with(queue, fields{"description": ""}), trigger(nil), true, false},
		"a source's region":             {triggerType, trigger(fields{"sqs": []fields{{"queue": "orders", "project_id": "p"}}}), with(queue, fields{"sqs": []fields{{"queue": "orders", "region": "fr-par"}}}), trigger(nil), true, false},
		"an empty project of a source":  {triggerType, trigger(nil), with(queue, fields{"sqs": []fields{{"queue": "orders", "project_id": ""}}}), trigger(fields{"sqs": []fields{{"queue": "orders", "namespace_id": "", "project_id": "", "region": "fr-par"}}}), true, false},
		"another queue":                 {triggerType, trigger(nil), with(queue, fields{"sqs": []fields{{"queue": "bills"}}}), trigger(fields{"sqs": []fields{{"queue": "bills", "namespace_id": "", "project_id": "p", "region": "fr-par"}}}), false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := provider.NewServer(provider.Options{Version: "test"})()
			schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
			if err != nil {
				t.Fatal(err)
			}
			form := schemas.ResourceSchemas[test.of].ValueType()
			encode := func(of fields) *tfprotov6.DynamicValue {
				v := tftypes.NewValue(form, nil)
				if of != nil {
					v = value(form, of)
				}
				encoded, err := tfprotov6.NewDynamicValue(form, v)
				if err != nil {
					t.Fatal(err)
				}
				return &encoded
			}
			resp, err := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: test.of, PriorState: encode(test.prior), Config: encode(test.config), ProposedNewState: encode(test.proposed),
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range resp.Diagnostics {
				if d.Severity == tfprotov6.DiagnosticSeverityError {
					t.Fatalf("%s: %s", d.Summary, d.Detail)
				}
			}
			before, err := encode(test.prior).Unmarshal(form)
			if err != nil {
				t.Fatal(err)
			}
			after, err := resp.PlannedState.Unmarshal(form)
			if err != nil {
				t.Fatal(err)
			}
			if got := after.Equal(before); got != test.noChange {
				t.Errorf("planned no change: %t, want %t: %s", got, test.noChange, after)
			}
			//nolint:staticcheck // The test is about this flag.
			if got := !resp.UnsafeToUseLegacyTypeSystem; got != test.legal {
				t.Errorf("Terraform checks the plan: %t, want %t", got, test.legal)
			}
		})
	}
}
