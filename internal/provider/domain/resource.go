package domain

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// domainResource is scaleway_function_domain.
type domainResource struct{ tfkit.BaseResource }

var _ tfkit.Resource = (*domainResource)(nil)

func NewResource() tfkit.Resource {
	return &domainResource{tfkit.BaseResource{TypeName: "scaleway_function_domain"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *domainResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.PlanAttached(ctx, req, resp)
}

// recordPatience is for how long a record that the service does not see is waited
// for, unless the timeouts block says otherwise: one that was made in the same run
// takes a while, and one that is wrong stays so.
const recordPatience = 2 * time.Minute

// Create implements resource.Resource.
func (r *domainResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	region := scw.Region(m.Region.ValueString())
	functionID := tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, region)
	if resp.Diagnostics.HasError() {
		return
	}
	patience, ok := tfkit.ConfiguredTimeout(m.Timeouts, tfkit.OnCreate)
	if !ok {
		patience = recordPatience
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	created, err := r.Backend.CreateDomain(ctx, &sdk.CreateDomainRequest{
		Region: region, Hostname: m.Hostname.ValueString(), FunctionID: functionID,
	}, patience)
	if client.IsNotValidated(err) {
		resp.Diagnostics.AddAttributeError(path.Root("hostname"), "The hostname does not lead to the function",
			tfkit.Sentence(err)+" The service was asked for "+patience.String()+". Correct the record in the DNS; "+
				"if it is right and takes longer to be seen, set create in the timeouts block.")
		return
	}
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the domain", err, "function_id", "hostname")
		return
	}
	id := regional.ID{Region: region, UUID: created.ID}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	m.fill(id, created)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if ready := r.ready(ctx, id, created, &resp.Diagnostics); ready != nil {
		m.fill(id, ready)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// ready waits until the function answers under the domain, and returns nil after
// an error, which it reports.
func (r *domainResource) ready(ctx context.Context, id regional.ID, known *sdk.Domain, diags *diag.Diagnostics) *sdk.Domain {
	d, err := r.Backend.SettledDomain(ctx, id, known)
	if err == nil && d.Status != sdk.DomainStatusReady {
		err = fmt.Errorf("domain %s is in status %q%s: correct what it says and apply again to have another one made", id, d.Status, tfkit.Reason(d.ErrorMessage))
	}
	if err != nil {
		r.Backend.AddError(diags, "The domain did not become ready", err)
		return nil
	}
	return d
}

// Read implements resource.Resource.
func (r *domainResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.StateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	d, err := r.Backend.SettledDomain(ctx, id, nil)
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot read the domain", err)
		return
	}
	if d.Status != sdk.DomainStatusReady {
		resp.Diagnostics.AddAttributeWarning(path.Root("hostname"), "The domain is not ready",
			fmt.Sprintf("Domain %s is in status %q%s. terraform apply -replace makes another one.", id, d.Status, tfkit.Reason(d.ErrorMessage)))
	}
	m.fill(id, d)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. The service has no way to change a domain,
// and what would change one replaces it: what is left is another spelling.
func (r *domainResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	id, ok := r.StateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Delete implements resource.Resource.
func (r *domainResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.DeleteObject(ctx, req, resp, "domain", timeout, r.Backend.DeleteDomain)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *domainResource) MoveState(context.Context) []resource.StateMover {
	return tfkit.MoveFromOfficial(r.TypeName, resourceSchema())
}
