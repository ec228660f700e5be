package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// namespaceResource is scaleway_function_namespace.
type namespaceResource struct{ base }

var _ identifiable = (*namespaceResource)(nil)

func newNamespaceResource() identifiable {
	return &namespaceResource{base{typeName: "scaleway_function_namespace"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *namespaceResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.Plan.Raw.IsNull() {
		r.planRegion(ctx, req, resp)
	}
}

// Create implements resource.Resource.
func (r *namespaceResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m, config namespaceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	projectID := r.project(m, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := withTimeout(ctx, m.Timeouts, onCreate, namespaceTimeout)
	defer cancel()
	region := scw.Region(m.Region.ValueString())
	secrets := config.secretUpdate(nil, nil)
	created, err := createNamed(m.Name, functionPrefix, r.backend.pick, func(name string) (*function.Namespace, error) {
		return r.backend.API().CreateNamespace(m.createRequest(region, name, projectID, secrets.changes(nil)), client.Context(ctx))
	})
	if err != nil {
		r.backend.addCreateError(&resp.Diagnostics, "Cannot create the function namespace", err, "", "name")
		return
	}
	id := regional.ID{Region: region, UUID: created.ID}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	secrets.remember(ctx, resp.Private, secrets.after(), &resp.Diagnostics)
	planned := m.SecretEnvironmentVariables
	m.fill(id, created)
	m.SecretEnvironmentVariables = hashSecrets(ctx, planned, created.SecretEnvironmentVariables, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	ready, err := r.ready(ctx, id, created)
	if err != nil {
		r.backend.addError(&resp.Diagnostics, "The function namespace did not become ready", err)
		return
	}
	m.fill(id, ready)
	m.SecretEnvironmentVariables = hashSecrets(ctx, planned, ready.SecretEnvironmentVariables, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// project returns the project to create the namespace in.
func (r *namespaceResource) project(m namespaceModel, diags *diag.Diagnostics) string {
	if configured := optionalText(m.ProjectID); configured != nil {
		return *configured
	}
	if r.backend.ProjectID() == "" {
		diags.AddAttributeError(path.Root("project_id"), "No project to create the namespace in",
			"Set project_id here or in the provider block, or export SCW_DEFAULT_PROJECT_ID.")
	}
	return r.backend.ProjectID()
}

// ready waits until the namespace is ready. Another state in which it comes to
// rest is an error.
func (r *namespaceResource) ready(ctx context.Context, id regional.ID, known *function.Namespace) (*function.Namespace, error) {
	n, err := r.backend.SettledNamespace(ctx, id, known)
	if err != nil {
		return nil, err
	}
	if n.Status != function.NamespaceStatusReady {
		return nil, fmt.Errorf("namespace %s is in status %q%s", id, n.Status, said(n.ErrorMessage))
	}
	return n, nil
}

// Read implements resource.Resource.
func (r *namespaceResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m namespaceModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.stateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := withTimeout(ctx, m.Timeouts, onRead, namespaceTimeout)
	defer cancel()
	n, err := r.backend.SettledNamespace(ctx, id, nil)
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		r.backend.addError(&resp.Diagnostics, "Cannot read the function namespace", err)
		return
	}
	if n.Status != function.NamespaceStatusReady {
		resp.Diagnostics.AddWarning("The function namespace is not ready",
			fmt.Sprintf("Namespace %s is in status %q%s.", id, n.Status, said(n.ErrorMessage)))
	}
	m.fill(id, n)
	remembered := rememberedSecrets(ctx, req.Private, &resp.Diagnostics)
	m.SecretEnvironmentVariables = keepSecrets(m.SecretEnvironmentVariables, withoutSecrets(n.SecretEnvironmentVariables, remembered))
	m.setEmpty()
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource.
func (r *namespaceResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, prior, config namespaceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	secrets := config.secretUpdate(&prior, rememberedSecrets(ctx, req.Private, &resp.Diagnostics))
	id, ok := r.stateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := withTimeout(ctx, m.Timeouts, onUpdate, namespaceTimeout)
	defer cancel()
	n, err := r.ready(ctx, id, nil)
	if err == nil {
		secrets.remember(ctx, resp.Private, secrets.meanwhile(), &resp.Diagnostics)
		n, err = r.update(ctx, id, m.updateRequest(id, secrets.changes(n.SecretEnvironmentVariables), n), n)
	}
	if err != nil {
		r.backend.addError(&resp.Diagnostics, "Cannot update the function namespace", err)
		return
	}
	secrets.remember(ctx, resp.Private, secrets.after(), &resp.Diagnostics)
	m.fill(id, n)
	m.SecretEnvironmentVariables = hashSecrets(ctx, m.SecretEnvironmentVariables, n.SecretEnvironmentVariables, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// update sends the request, if there is one, and waits until it is carried out.
func (r *namespaceResource) update(ctx context.Context, id regional.ID, req *function.UpdateNamespaceRequest, n *function.Namespace) (*function.Namespace, error) {
	if req == nil {
		return n, nil
	}
	updated, err := r.backend.API().UpdateNamespace(req, client.Context(ctx))
	if err != nil {
		return nil, err
	}
	return r.ready(ctx, id, updated)
}

// Delete implements resource.Resource.
func (r *namespaceResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.deleteObject(ctx, req, resp, "function namespace", namespaceTimeout, r.backend.DeleteNamespace)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *namespaceResource) MoveState(context.Context) []resource.StateMover {
	return moveFromOfficial(r.typeName, namespaceSchema())
}
