package tfkit

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// officialProvider ends the addresses of the official provider in all
// registries.
const officialProvider = "/scaleway/scaleway"

// MoveFromOfficial takes over a state of the official provider's resource of the
// same type, which has the same form. Terraform asks for it when a moved block
// names a resource that the official provider still owns.
func MoveFromOfficial(typeName string, target schema.Schema) []resource.StateMover {
	return []resource.StateMover{{
		SourceSchema: &target,
		StateMover: func(_ context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
			official := strings.HasSuffix(req.SourceProviderAddress, officialProvider)
			if !official || req.SourceTypeName != typeName || req.SourceSchemaVersion != 0 || req.SourceState == nil {
				return
			}
			resp.TargetState.Raw = req.SourceState.Raw
		},
	}}
}
