package trigger

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// triggerResource is scaleway_function_trigger.
type triggerResource struct{ tfkit.BaseResource }

// namePrefix begins generated names, as in the official provider.
const namePrefix = "tf-trigger-"

var _ tfkit.Resource = (*triggerResource)(nil)

func NewResource() tfkit.Resource {
	return &triggerResource{tfkit.BaseResource{TypeName: "scaleway_function_trigger"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *triggerResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.PlanAttached(ctx, req, resp)
}

// Create implements resource.Resource.
func (r *triggerResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	called := regional.ID{Region: scw.Region(m.Region.ValueString())}
	called.UUID = tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, called.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	created, err := tfkit.CreateNamed(m.Name, namePrefix, r.Backend.Pick, func(name string) (*sdk.Trigger, error) {
		return r.Backend.API().CreateTrigger(m.createRequest(called, name, r.Backend.ProjectID()), client.Context(ctx))
	})
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the trigger", err, "function_id", "name")
		return
	}
	id := regional.ID{Region: called.Region, UUID: created.ID}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	m.fill(id, created)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if ready := r.ready(ctx, id, created, &resp.Diagnostics); ready != nil {
		m.fill(id, ready)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// ready waits until the trigger consumes, and returns nil after an error, which it
// reports.
func (r *triggerResource) ready(ctx context.Context, id regional.ID, known *sdk.Trigger, diags *diag.Diagnostics) *sdk.Trigger {
	t, err := r.Backend.SettledTrigger(ctx, id, known)
	if err == nil && t.Status != sdk.TriggerStatusReady {
		err = fmt.Errorf("trigger %s is in status %q%s: correct what it says and apply again to have another one made", id, t.Status, tfkit.Reason(t.ErrorMessage))
	}
	if err != nil {
		r.Backend.AddError(diags, "The trigger did not become ready", err)
		return nil
	}
	return t
}

// Read implements resource.Resource.
func (r *triggerResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.StateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	t, err := r.Backend.SettledTrigger(ctx, id, nil)
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot read the trigger", err)
		return
	}
	if t.Status != sdk.TriggerStatusReady {
		resp.Diagnostics.AddWarning("The trigger is not ready",
			fmt.Sprintf("Trigger %s is in status %q%s, so it consumes nothing. terraform apply -replace makes another one.", id, t.Status, tfkit.Reason(t.ErrorMessage)))
	}
	if t.ScwSqsConfig == nil && t.ScwNatsConfig == nil {
		resp.Diagnostics.AddWarning("The trigger has a source that cannot be written down",
			fmt.Sprintf("Trigger %s consumes a queue of another service than Messaging and Queuing, for which this resource has no block: remove it from the state.", id))
	}
	m.fill(id, t)
	m.setEmpty()
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource.
func (r *triggerResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	id, ok := r.StateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnUpdate, timeout)
	defer cancel()
	t, err := r.Backend.SettledTrigger(ctx, id, nil)
	if err == nil && !m.isOf(id, t) {
		err = fmt.Errorf("trigger %s calls another function or has another source than the configuration says: terraform apply -replace makes the one that it says", id)
	}
	if err == nil {
		if change := m.updateRequest(id, t); change != nil {
			t, err = r.Backend.API().UpdateTrigger(change, client.Context(ctx))
		}
	}
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot update the trigger", err)
		return
	}
	if t = r.ready(ctx, id, t, &resp.Diagnostics); t != nil {
		m.fill(id, t)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// Delete implements resource.Resource.
func (r *triggerResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.DeleteObject(ctx, req, resp, "trigger", timeout, r.Backend.DeleteTrigger)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *triggerResource) MoveState(context.Context) []resource.StateMover {
	return tfkit.MoveFromOfficial(r.TypeName, resourceSchema())
}
