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

// triggerResource is the resource scaleway_function_trigger.
type triggerResource struct{ tfkit.BaseResource }

// namePrefix is the prefix of generated names, as in the official provider.
const namePrefix = "tf-trigger-"

var _ tfkit.Resource = (*triggerResource)(nil)

// NewResource returns the resource scaleway_function_trigger.
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
	target := regional.ID{Region: scw.Region(m.Region.ValueString())}
	target.UUID = tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, target.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	created, err := tfkit.CreateNamed(m.Name, namePrefix, r.Backend.Pick, func(name string) (*sdk.Trigger, error) {
		return r.Backend.API().CreateTrigger(m.createRequest(target, name, r.Backend.ProjectID()), client.Context(ctx))
	})
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the trigger", err, "function_id", "name")
		return
	}
	id := regional.ID{Region: target.Region, UUID: created.ID}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	m.fill(id, created)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if ready := r.ready(ctx, id, created, &resp.Diagnostics); ready != nil {
		m.fill(id, ready)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// ready waits until the trigger is ready. It returns nil after it has added an error.
func (r *triggerResource) ready(ctx context.Context, id regional.ID, known *sdk.Trigger, diags *diag.Diagnostics) *sdk.Trigger {
	t, err := r.Backend.SettledTrigger(ctx, id, known)
	if err == nil && t.Status != sdk.TriggerStatusReady {
		err = fmt.Errorf("trigger %s is in status %q%s: correct the cause and apply again to create another trigger", id, t.Status, tfkit.Reason(t.ErrorMessage))
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
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	t, err := r.Backend.SettledTrigger(ctx, id, nil)
	if !r.Found(ctx, resp, "trigger", err) {
		return
	}
	if t.Status != sdk.TriggerStatusReady {
		resp.Diagnostics.AddWarning("The trigger is not ready",
			fmt.Sprintf("Trigger %s is in status %q%s. It receives no messages. Replace it with terraform apply -replace.", id, t.Status, tfkit.Reason(t.ErrorMessage)))
	}
	if t.ScwSqsConfig == nil && t.ScwNatsConfig == nil {
		resp.Diagnostics.AddWarning("The trigger has an unsupported source",
			fmt.Sprintf("The source of trigger %s is not a queue or subject of Messaging and Queuing. This resource has no block for it: remove the trigger from the state.", id))
	}
	m.fill(id, t)
	m.setEmpty()
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource.
func (r *triggerResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnUpdate, timeout)
	defer cancel()
	t, err := r.Backend.SettledTrigger(ctx, id, nil)
	if err == nil && !m.hasSourceOf(id, t) {
		err = fmt.Errorf("trigger %s calls another function, or has another source, than configured: replace it with terraform apply -replace", id)
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
