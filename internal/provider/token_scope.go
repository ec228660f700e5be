package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// tokenScope is what a token opens: one function, or the functions of one
// namespace. One of the two uuids is set.
type tokenScope struct {
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
	case isText(functionID) && isText(namespaceID):
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

// scope reads what a token opens where nothing but the configuration says so. A
// region that is not configured is the one of the reference, or else the
// provider's.
func (b *backend) scope(region, functionID, namespaceID types.String, diags *diag.Diagnostics) tokenScope {
	s := tokenScope{Region: b.regionOf(region, functionID, namespaceID)}
	if id := checkReference(diags, "function_id", functionID, s.Region); id != "" {
		s.FunctionID = &id
	}
	if id := checkReference(diags, "namespace_id", namespaceID, s.Region); id != "" {
		s.NamespaceID = &id
	}
	return s
}

// regionOf returns the configured region, or that of the first reference that
// has one, or the provider's.
func (b *backend) regionOf(configured types.String, references ...types.String) scw.Region {
	if isText(configured) {
		return scw.Region(configured.ValueString())
	}
	for _, reference := range references {
		if id, err := regional.Parse(reference.ValueString()); err == nil {
			return id.Region
		}
	}
	return b.Region()
}

// readyToken waits until functions accept the token.
func (b *backend) readyToken(ctx context.Context, id regional.ID, known *function.Token) error {
	t, err := b.SettledToken(ctx, id, known)
	if err != nil {
		return err
	}
	if t.Status != function.TokenStatusReady {
		return fmt.Errorf("token %s is in status %q: apply again to make another one", id, t.Status)
	}
	return nil
}
