package cron

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

// cronResource is the resource scaleway_function_cron.
type cronResource struct{ tfkit.BaseResource }

var _ tfkit.Resource = (*cronResource)(nil)

// NewResource returns the resource scaleway_function_cron.
func NewResource() tfkit.Resource {
	return &cronResource{tfkit.BaseResource{TypeName: "scaleway_function_cron"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *cronResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.PlanAttached(ctx, req, resp)
}

// Create implements resource.Resource.
func (r *cronResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	target := regional.ID{Region: scw.Region(m.Region.ValueString())}
	target.UUID = tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, target.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	created, err := r.Backend.API().CreateCron(m.createRequest(target), client.Context(ctx))
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the cron", err, "function_id", "")
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

// ready waits until the cron is ready. It returns nil after it has added an error.
func (r *cronResource) ready(ctx context.Context, id regional.ID, known *sdk.Cron, diags *diag.Diagnostics) *sdk.Cron {
	c, err := r.Backend.SettledCron(ctx, id, known)
	if err == nil && c.Status != sdk.CronStatusReady {
		err = fmt.Errorf("cron %s is in status %q and does not call its function: apply again to create another cron", id, c.Status)
	}
	if err != nil {
		r.Backend.AddError(diags, "The cron did not become ready", err)
		return nil
	}
	return c
}

// Read implements resource.Resource.
func (r *cronResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	c, err := r.Backend.SettledCron(ctx, id, nil)
	if !r.Found(ctx, resp, "cron", err) {
		return
	}
	if c.Status != sdk.CronStatusReady {
		resp.Diagnostics.AddWarning("The cron is not ready",
			fmt.Sprintf("Cron %s is in status %q and does not call its function. Replace it with terraform apply -replace.", id, c.Status))
	}
	m.fill(id, c)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource.
func (r *cronResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	functionID := tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, id.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnUpdate, timeout)
	defer cancel()
	c, err := r.Backend.SettledCron(ctx, id, nil)
	if err == nil {
		if change := m.updateRequest(id, functionID, c); change != nil {
			c, err = r.Backend.API().UpdateCron(change, client.Context(ctx))
		}
	}
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot update the cron", err)
		return
	}
	if c = r.ready(ctx, id, c, &resp.Diagnostics); c != nil {
		m.fill(id, c)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// Delete implements resource.Resource.
func (r *cronResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.DeleteObject(ctx, req, resp, "cron", timeout, r.Backend.DeleteCron)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *cronResource) MoveState(context.Context) []resource.StateMover {
	return tfkit.MoveFromOfficial(r.TypeName, resourceSchema())
}
