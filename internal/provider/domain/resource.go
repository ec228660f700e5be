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

// domainResource is the resource scaleway_function_domain.
type domainResource struct{ tfkit.BaseResource }

var _ tfkit.Resource = (*domainResource)(nil)

// NewResource returns the resource scaleway_function_domain.
func NewResource() tfkit.Resource {
	return &domainResource{tfkit.BaseResource{TypeName: "scaleway_function_domain"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *domainResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.PlanAttached(ctx, req, resp)
}

// recordTimeout is how long Create waits for the DNS record, unless the timeouts block
// sets a timeout. A record that the same run created takes a while to be visible; it is
// short because a wrong record stays wrong.
const recordTimeout = 2 * time.Minute

// Create implements resource.Resource.
func (r *domainResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	region := scw.Region(m.Region.ValueString())
	functionID := tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, region)
	if resp.Diagnostics.HasError() {
		return
	}
	wait, ok := tfkit.ConfiguredTimeout(m.Timeouts, tfkit.OnCreate)
	if !ok {
		wait = recordTimeout
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	created, err := r.Backend.CreateDomain(ctx, &sdk.CreateDomainRequest{
		Region: region, Hostname: m.Hostname.ValueString(), FunctionID: functionID,
	}, wait)
	if client.IsNotValidated(err) {
		resp.Diagnostics.AddAttributeError(path.Root("hostname"), "The hostname does not resolve to the function",
			tfkit.Sentence(err)+" The provider tried for "+wait.String()+". Correct the DNS record. "+
				"If it is correct and only takes longer to be visible, set create in the timeouts block.")
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

// ready waits until the domain is ready. It returns nil after it has added an error.
func (r *domainResource) ready(ctx context.Context, id regional.ID, known *sdk.Domain, diags *diag.Diagnostics) *sdk.Domain {
	d, err := r.Backend.SettledDomain(ctx, id, known)
	if err == nil && d.Status != sdk.DomainStatusReady {
		err = fmt.Errorf("domain %s is in status %q%s: correct the cause and apply again to create another domain", id, d.Status, tfkit.Reason(d.ErrorMessage))
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
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	d, err := r.Backend.SettledDomain(ctx, id, nil)
	if !r.Found(ctx, resp, "domain", err) {
		return
	}
	if d.Status != sdk.DomainStatusReady {
		resp.Diagnostics.AddAttributeWarning(path.Root("hostname"), "The domain is not ready",
			fmt.Sprintf("Domain %s is in status %q%s. Replace it with terraform apply -replace.", id, d.Status, tfkit.Reason(d.ErrorMessage)))
	}
	m.fill(id, d)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. It sends nothing: all changes replace the domain,
// except for other spellings of the same value.
func (r *domainResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if _, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics); !ok {
		return
	}
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
