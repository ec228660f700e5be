package namespace

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// namespaceResource is the resource scaleway_function_namespace.
type namespaceResource struct{ tfkit.BaseResource }

// namePrefix is the prefix of generated names, as in the official provider.
const namePrefix = "tf-func-"

var _ tfkit.Resource = (*namespaceResource)(nil)

// NewResource returns the resource scaleway_function_namespace.
func NewResource() tfkit.Resource {
	return &namespaceResource{tfkit.BaseResource{TypeName: "scaleway_function_namespace"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *namespaceResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.Plan.Raw.IsNull() {
		r.PlanRegion(ctx, req, resp)
	}
}

// Create implements resource.Resource.
func (r *namespaceResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m, config model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	projectID := r.project(m, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	region := scw.Region(m.Region.ValueString())
	secrets := config.secretUpdate(nil, nil)
	created, err := tfkit.CreateNamed(m.Name, namePrefix, r.Backend.Pick, func(name string) (*sdk.Namespace, error) {
		return r.Backend.API().CreateNamespace(m.createRequest(region, name, projectID, secrets.Changes(nil)), client.Context(ctx))
	})
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the function namespace", err, "", "name")
		return
	}
	id := regional.ID{Region: region, UUID: created.ID}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	secrets.StoreNames(ctx, resp.Private, secrets.NamesAfter(), &resp.Diagnostics)
	planned := m.SecretEnvironmentVariables
	m.fill(id, created)
	m.SecretEnvironmentVariables = tfkit.HashSecrets(ctx, planned, created.SecretEnvironmentVariables, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	ready, err := r.ready(ctx, id, created)
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "The function namespace did not become ready", err)
		return
	}
	m.fill(id, ready)
	m.SecretEnvironmentVariables = tfkit.HashSecrets(ctx, planned, ready.SecretEnvironmentVariables, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// project returns the UUID of the project for a new namespace. It adds an error if none
// is configured.
func (r *namespaceResource) project(m model, diags *diag.Diagnostics) string {
	if configured := tfkit.OptionalString(m.ProjectID); configured != nil {
		return *configured
	}
	if r.Backend.ProjectID() == "" {
		diags.AddAttributeError(path.Root("project_id"), "Missing project",
			"A namespace belongs to a project: set project_id in the resource or in the provider block, or set SCW_DEFAULT_PROJECT_ID.")
	}
	return r.Backend.ProjectID()
}

// ready waits until the namespace is ready. It returns an error if the namespace ends
// in another status.
func (r *namespaceResource) ready(ctx context.Context, id regional.ID, known *sdk.Namespace) (*sdk.Namespace, error) {
	n, err := r.Backend.SettledNamespace(ctx, id, known)
	if err != nil {
		return nil, err
	}
	if n.Status != sdk.NamespaceStatusReady {
		return nil, fmt.Errorf("namespace %s is in status %q%s", id, n.Status, tfkit.Reason(n.ErrorMessage))
	}
	return n, nil
}

// Read implements resource.Resource.
func (r *namespaceResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	n, err := r.Backend.SettledNamespace(ctx, id, nil)
	if !r.Found(ctx, resp, "function namespace", err) {
		return
	}
	if n.Status != sdk.NamespaceStatusReady {
		resp.Diagnostics.AddWarning("The function namespace is not ready",
			fmt.Sprintf("Namespace %s is in status %q%s.", id, n.Status, tfkit.Reason(n.ErrorMessage)))
	}
	m.fill(id, n)
	writeOnly := tfkit.StoredSecretNames(ctx, req.Private, &resp.Diagnostics)
	m.SecretEnvironmentVariables = tfkit.KeepSecrets(m.SecretEnvironmentVariables, tfkit.WithoutSecrets(n.SecretEnvironmentVariables, writeOnly))
	m.setEmpty()
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource.
func (r *namespaceResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, prior, config model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	secrets := config.secretUpdate(&prior, tfkit.StoredSecretNames(ctx, req.Private, &resp.Diagnostics))
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnUpdate, timeout)
	defer cancel()
	n, err := r.ready(ctx, id, nil)
	if err == nil {
		secrets.StoreNames(ctx, resp.Private, secrets.NamesDuring(), &resp.Diagnostics)
		n, err = r.update(ctx, id, m.updateRequest(id, secrets.Changes(n.SecretEnvironmentVariables), n), n)
	}
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot update the function namespace", err)
		return
	}
	secrets.StoreNames(ctx, resp.Private, secrets.NamesAfter(), &resp.Diagnostics)
	m.fill(id, n)
	m.SecretEnvironmentVariables = tfkit.HashSecrets(ctx, m.SecretEnvironmentVariables, n.SecretEnvironmentVariables, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// update sends the request, unless it is nil, and waits until the namespace is ready.
func (r *namespaceResource) update(ctx context.Context, id regional.ID, req *sdk.UpdateNamespaceRequest, n *sdk.Namespace) (*sdk.Namespace, error) {
	if req == nil {
		return n, nil
	}
	updated, err := r.Backend.API().UpdateNamespace(req, client.Context(ctx))
	if err != nil {
		return nil, err
	}
	return r.ready(ctx, id, updated)
}

// Delete implements resource.Resource.
func (r *namespaceResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.DeleteObject(ctx, req, resp, "function namespace", timeout, r.Backend.DeleteNamespace)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *namespaceResource) MoveState(context.Context) []resource.StateMover {
	return tfkit.MoveFromOfficial(r.TypeName, resourceSchema())
}
