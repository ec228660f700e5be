package tfkit

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// officialProvider is the suffix of the official provider's address in each registry.
const officialProvider = "/scaleway/scaleway"

// MoveFromOfficial accepts the state of the official provider's resource of the same
// type, which has the same schema. Terraform calls it for a moved block whose source
// belongs to the official provider.
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
