package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// cronResource is scaleway_function_cron.
type cronResource struct{ base }

var _ identifiable = (*cronResource)(nil)

func newCronResource() identifiable {
	return &cronResource{base{typeName: "scaleway_function_cron"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *cronResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.planAttached(ctx, req, resp)
}

// Create implements resource.Resource.
func (r *cronResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m cronModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	called := regional.ID{Region: scw.Region(m.Region.ValueString())}
	called.UUID = checkReference(&resp.Diagnostics, "function_id", m.FunctionID, called.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := withTimeout(ctx, m.Timeouts, onCreate, cronTimeout)
	defer cancel()
	created, err := r.backend.API().CreateCron(m.createRequest(called), client.Context(ctx))
	if err != nil {
		r.backend.addCreateError(&resp.Diagnostics, "Cannot create the cron", err, "function_id", "")
		return
	}
	id := regional.ID{Region: called.Region, UUID: created.ID}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	m.fill(id, created)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if ready := r.ready(ctx, id, created, &resp.Diagnostics); ready != nil {
		m.fill(id, ready)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// ready waits until the cron calls, and returns nil after an error, which it
// reports.
func (r *cronResource) ready(ctx context.Context, id regional.ID, known *function.Cron, diags *diag.Diagnostics) *function.Cron {
	c, err := r.backend.SettledCron(ctx, id, known)
	if err == nil && c.Status != function.CronStatusReady {
		err = fmt.Errorf("cron %s is in status %q, so it does not call: apply again to have another one made", id, c.Status)
	}
	if err != nil {
		r.backend.addError(diags, "The cron did not become ready", err)
		return nil
	}
	return c
}

// Read implements resource.Resource.
func (r *cronResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m cronModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.stateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := withTimeout(ctx, m.Timeouts, onRead, cronTimeout)
	defer cancel()
	c, err := r.backend.SettledCron(ctx, id, nil)
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		r.backend.addError(&resp.Diagnostics, "Cannot read the cron", err)
		return
	}
	if c.Status != function.CronStatusReady {
		resp.Diagnostics.AddWarning("The cron is not ready",
			fmt.Sprintf("Cron %s is in status %q, so it does not call. terraform apply -replace makes another one.", id, c.Status))
	}
	m.fill(id, c)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource.
func (r *cronResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m cronModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	id, ok := r.stateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	functionID := checkReference(&resp.Diagnostics, "function_id", m.FunctionID, id.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := withTimeout(ctx, m.Timeouts, onUpdate, cronTimeout)
	defer cancel()
	c, err := r.backend.SettledCron(ctx, id, nil)
	if err == nil {
		if change := m.updateRequest(id, functionID, c); change != nil {
			c, err = r.backend.API().UpdateCron(change, client.Context(ctx))
		}
	}
	if err != nil {
		r.backend.addError(&resp.Diagnostics, "Cannot update the cron", err)
		return
	}
	if c = r.ready(ctx, id, c, &resp.Diagnostics); c != nil {
		m.fill(id, c)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// Delete implements resource.Resource.
func (r *cronResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.deleteObject(ctx, req, resp, "cron", cronTimeout, r.backend.DeleteCron)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *cronResource) MoveState(context.Context) []resource.StateMover {
	return moveFromOfficial(r.typeName, cronSchema())
}
