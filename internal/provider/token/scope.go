package token

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// scope is what a token opens: one function, or the functions of one
// namespace. One of the two uuids is set.
type scope struct {
	Region      scw.Region
	FunctionID  *string
	NamespaceID *string
}

// checkScope reports what is wrong with the two arguments that say what a token
// opens, as far as they are known.
func checkScope(functionID, namespaceID types.String, diags *diag.Diagnostics) {
	switch {
	case spelling.Unset(functionID) && spelling.Unset(namespaceID):
		diags.AddError("A token of nothing",
			"A token opens one function or all functions of one namespace: set function_id or namespace_id.")
	case tfkit.IsSet(functionID) && tfkit.IsSet(namespaceID):
		diags.AddAttributeError(path.Root("namespace_id"), "A token of two things",
			"A token opens one function or all functions of one namespace: remove function_id or namespace_id.")
	}
}

// scopeAttribute is the attribute that says what a token opens.
func scopeAttribute(functionID *string) string {
	if functionID != nil {
		return "function_id"
	}
	return "namespace_id"
}

// readScope reads what a token opens where nothing but the configuration says so. A
// region that is not configured is the one of the reference, or else the
// provider's.
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

// awaitReady waits until functions accept the token.
func awaitReady(ctx context.Context, b *tfkit.Backend, id regional.ID, known *sdk.Token) error {
	t, err := b.SettledToken(ctx, id, known)
	if err != nil {
		return err
	}
	if t.Status != sdk.TokenStatusReady {
		return fmt.Errorf("token %s is in status %q: apply again to make another one", id, t.Status)
	}
	return nil
}
