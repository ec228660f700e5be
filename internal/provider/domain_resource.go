package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// domainResource is scaleway_function_domain.
type domainResource struct{ base }

var _ identifiable = (*domainResource)(nil)

func newDomainResource() identifiable {
	return &domainResource{base{typeName: "scaleway_function_domain"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *domainResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.planAttached(ctx, req, resp)
}

// recordPatience is for how long a record that the service does not see is waited
// for, unless the timeouts block says otherwise: one that was made in the same run
// takes a while, and one that is wrong stays so.
const recordPatience = 2 * time.Minute

// Create implements resource.Resource.
func (r *domainResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m domainModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	region := scw.Region(m.Region.ValueString())
	functionID := checkReference(&resp.Diagnostics, "function_id", m.FunctionID, region)
	if resp.Diagnostics.HasError() {
		return
	}
	patience, ok := configuredTimeout(m.Timeouts, onCreate)
	if !ok {
		patience = recordPatience
	}
	ctx, cancel := withTimeout(ctx, m.Timeouts, onCreate, domainTimeout)
	defer cancel()
	created, err := r.backend.CreateDomain(ctx, &function.CreateDomainRequest{
		Region: region, Hostname: m.Hostname.ValueString(), FunctionID: functionID,
	}, patience)
	if client.IsNotValidated(err) {
		resp.Diagnostics.AddAttributeError(path.Root("hostname"), "The hostname does not lead to the function",
			sentence(err)+" The service was asked for "+patience.String()+". Correct the record in the DNS; "+
				"if it is right and takes longer to be seen, set create in the timeouts block.")
		return
	}
	if err != nil {
		r.backend.addCreateError(&resp.Diagnostics, "Cannot create the domain", err, "function_id", "hostname")
		return
	}
	id := regional.ID{Region: region, UUID: created.ID}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	m.fill(id, created)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if ready := r.ready(ctx, id, created, &resp.Diagnostics); ready != nil {
		m.fill(id, ready)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// ready waits until the function answers under the domain, and returns nil after
// an error, which it reports.
func (r *domainResource) ready(ctx context.Context, id regional.ID, known *function.Domain, diags *diag.Diagnostics) *function.Domain {
	d, err := r.backend.SettledDomain(ctx, id, known)
	if err == nil && d.Status != function.DomainStatusReady {
		err = fmt.Errorf("domain %s is in status %q%s: correct what it says and apply again to have another one made", id, d.Status, said(d.ErrorMessage))
	}
	if err != nil {
		r.backend.addError(diags, "The domain did not become ready", err)
		return nil
	}
	return d
}

// Read implements resource.Resource.
func (r *domainResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m domainModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.stateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	ctx, cancel := withTimeout(ctx, m.Timeouts, onRead, domainTimeout)
	defer cancel()
	d, err := r.backend.SettledDomain(ctx, id, nil)
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		r.backend.addError(&resp.Diagnostics, "Cannot read the domain", err)
		return
	}
	if d.Status != function.DomainStatusReady {
		resp.Diagnostics.AddAttributeWarning(path.Root("hostname"), "The domain is not ready",
			fmt.Sprintf("Domain %s is in status %q%s. terraform apply -replace makes another one.", id, d.Status, said(d.ErrorMessage)))
	}
	m.fill(id, d)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. The service has no way to change a domain,
// and what would change one replaces it: what is left is another spelling.
func (r *domainResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m domainModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	id, ok := r.stateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	identify(ctx, resp.Identity, id, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Delete implements resource.Resource.
func (r *domainResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.deleteObject(ctx, req, resp, "domain", domainTimeout, r.backend.DeleteDomain)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *domainResource) MoveState(context.Context) []resource.StateMover {
	return moveFromOfficial(r.typeName, domainSchema())
}
