package token

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// scope is what a token grants access to: one function, or all functions of one
// namespace. Exactly one of the UUIDs is set.
type scope struct {
	Region      scw.Region
	FunctionID  *string
	NamespaceID *string
}

// checkScope adds an error unless exactly one of the arguments is set. Unknown
// arguments may turn out to be set or not.
func checkScope(functionID, namespaceID types.String, diags *diag.Diagnostics) {
	switch {
	case spelling.Unset(functionID) && spelling.Unset(namespaceID):
		diags.AddError("Missing function_id or namespace_id",
			"A token grants access to one function, or to all functions of one namespace: set function_id or namespace_id.")
	case tfkit.IsSet(functionID) && tfkit.IsSet(namespaceID):
		diags.AddAttributeError(path.Root("namespace_id"), "Both function_id and namespace_id are set",
			"A token grants access to one function, or to all functions of one namespace: remove function_id or namespace_id.")
	}
}

// scopeAttribute returns the name of the argument that sets the scope.
func scopeAttribute(functionID *string) string {
	if functionID != nil {
		return "function_id"
	}
	return "namespace_id"
}

// readScope reads the scope from a configuration, for data sources and the ephemeral
// resource. The region defaults to that of the reference, or else to the provider's.
func readScope(b *tfkit.Backend, region, functionID, namespaceID types.String, diags *diag.Diagnostics) scope {
	s := scope{Region: b.RegionOf(region, functionID, namespaceID)}
	if id := tfkit.CheckReference(diags, "function_id", functionID, s.Region); id != "" {
		s.FunctionID = &id
	}
	if id := tfkit.CheckReference(diags, "namespace_id", namespaceID, s.Region); id != "" {
		s.NamespaceID = &id
	}
	return s
}
