package function

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/lenient"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// functionResource is the resource scaleway_function.
type functionResource struct{ tfkit.BaseResource }

// namePrefix is the prefix of generated names, as in the official provider.
const namePrefix = "tf-func-"

var _ tfkit.Resource = (*functionResource)(nil)

// NewResource returns the resource scaleway_function.
func NewResource() tfkit.Resource {
	return &functionResource{tfkit.BaseResource{TypeName: "scaleway_function"}}
}

// ModifyPlan implements resource.ResourceWithModifyPlan.
func (r *functionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	r.PlanRegion(ctx, req, resp)
	var m model
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &m)...)
	prior := r.priorFunction(ctx, req, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	r.planCode(ctx, req, resp, &m, prior)
	if r.Backend == nil || m.Region.ValueString() == "" {
		return
	}
	region := scw.Region(m.Region.ValueString())
	tfkit.CheckReference(&resp.Diagnostics, "private_network_id", m.PrivateNetworkID, region)
	namespaceID := tfkit.CheckReference(&resp.Diagnostics, "namespace_id", m.NamespaceID, region)
	if resp.Diagnostics.HasError() {
		return
	}
	// Terraform plans a replacement twice, the second time without a prior state.
	if req.State.Raw.IsNull() || (prior != nil && !prior.Runtime.Equal(m.Runtime)) {
		r.warnOfRuntime(ctx, region, m.Runtime, &resp.Diagnostics)
	}
	if prior == nil && namespaceID != "" && tfkit.IsSet(m.ProjectID) {
		r.namespace(ctx, regional.ID{Region: region, UUID: namespaceID}, m.ProjectID, &resp.Diagnostics)
	}
}

// planCode plans zip_digest and status: whether the archive is uploaded, and whether the
// function is deployed.
func (r *functionResource) planCode(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, m, prior *model) {
	known := readArchives(ctx, req.Private, &resp.Diagnostics)
	changes, err := resp.Plan.Raw.Diff(req.State.Raw)
	if err != nil {
		resp.Diagnostics.AddError("Cannot compare the plan with the state", tfkit.Sentence(err))
		return
	}
	otherChanges := slices.ContainsFunc(changes, func(change tftypes.ValueDiff) bool {
		steps := change.Path.Steps()
		return len(steps) > 0 && steps[0] != tftypes.AttributeName(zipDigest) && steps[0] != tftypes.AttributeName(statusAttribute)
	})
	// Changes of timeouts and of the spelling of unset values are not sent.
	sent := slices.ContainsFunc(changes, func(change tftypes.ValueDiff) bool {
		steps := change.Path.Steps()
		return len(steps) > 0 && steps[0] != tftypes.AttributeName("timeouts") && steps[0] != tftypes.AttributeName(zipDigest) &&
			steps[0] != tftypes.AttributeName(statusAttribute) && !lenient.SameUnset(change.Value1, change.Value2)
	})
	pending := m.deploymentPending(prior)
	m.ZipDigest = m.plannedDigest(prior, known, otherChanges || pending, &resp.Diagnostics)
	m.Status = m.plannedStatus(prior, sent || pending)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(zipDigest), m.ZipDigest)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(statusAttribute), m.Status)...)
	if r.Backend != nil && prior != nil {
		r.warnOfOtherCode(ctx, m, prior, known, &resp.Diagnostics)
	}
}

// priorFunction returns the function of the prior state, or nil if the apply creates one,
// also as a replacement.
func (*functionResource) priorFunction(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) *model {
	if req.State.Raw.IsNull() || len(resp.RequiresReplace) > 0 {
		return nil
	}
	var prior model
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	return &prior
}

// namespace reads the function's namespace. It adds an error if the configured project is
// not that of the namespace; the official provider ignores such a project.
func (r *functionResource) namespace(ctx context.Context, id regional.ID, project types.String, diags *diag.Diagnostics) *sdk.Namespace {
	n, err := r.Backend.API().GetNamespace(&sdk.GetNamespaceRequest{Region: id.Region, NamespaceID: id.UUID}, client.Context(ctx))
	if err != nil {
		r.Backend.AddCreateError(diags, "Cannot read the namespace of the function", err, "namespace_id", "")
		return nil
	}
	if tfkit.IsSet(project) && project.ValueString() != n.ProjectID {
		diags.AddAttributeError(path.Root("project_id"), "The namespace is in another project",
			"A function belongs to the project of its namespace. Namespace "+id.String()+" is in project "+n.ProjectID+
				", not in "+project.ValueString()+": remove project_id, or use a namespace of that project.")
	}
	return n
}

// Create implements resource.Resource.
func (r *functionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m, config model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	region := scw.Region(m.Region.ValueString())
	tfkit.CheckReference(&resp.Diagnostics, "private_network_id", m.PrivateNetworkID, region)
	namespaceID := tfkit.CheckReference(&resp.Diagnostics, "namespace_id", m.NamespaceID, region)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnCreate, timeout)
	defer cancel()
	n := r.namespace(ctx, regional.ID{Region: region, UUID: namespaceID}, m.ProjectID, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	m.setProject(n)
	// Check the archive first, so that an invalid one leaves no function behind.
	if !m.ZipFile.IsNull() {
		if err := client.CheckArchive(m.ZipFile.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("zip_file"), "Cannot upload the code of the function", tfkit.Sentence(err))
			return
		}
	}
	// The digest is null until the archive is uploaded.
	m.ZipDigest = types.StringNull()
	secrets := config.secretUpdate(nil, nil)
	created, err := tfkit.CreateNamed(m.Name, namePrefix, r.Backend.Pick, func(name string) (*sdk.Function, error) {
		return r.Backend.API().CreateFunction(m.createRequest(region, name, namespaceID, secrets.Changes(nil)), client.Context(ctx))
	})
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the function", err, "namespace_id", "name")
		return
	}
	id := regional.ID{Region: region, UUID: created.ID}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	secrets.StoreNames(ctx, resp.Private, secrets.NamesAfter(), &resp.Diagnostics)
	planned := m.SecretEnvironmentVariables
	m.fill(id, created, functionURL(ctx, r.Backend.Client, created, &resp.Diagnostics))
	m.SecretEnvironmentVariables = tfkit.HashSecrets(ctx, planned, created.SecretEnvironmentVariables, &resp.Diagnostics)
	m.Status = types.StringValue(created.Status.String())
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	change := deployment{created: true, upload: !m.ZipFile.IsNull(), deploy: m.Deploy.ValueBool()}
	var known archives
	if f := r.apply(ctx, id, &m, change, created, &known, &resp.Diagnostics); f != nil {
		known.store(ctx, resp.Private, &resp.Diagnostics)
		m.fill(id, f, functionURL(ctx, r.Backend.Client, f, &resp.Diagnostics))
		m.SecretEnvironmentVariables = tfkit.HashSecrets(ctx, planned, f.SecretEnvironmentVariables, &resp.Diagnostics)
		m.Status = types.StringValue(f.Status.String())
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// Read implements resource.Resource.
func (r *functionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := tfkit.WithTimeout(ctx, m.Timeouts, tfkit.OnRead, timeout)
	defer cancel()
	f, err := r.Backend.SettledFunction(ctx, id, nil)
	if !r.Found(ctx, resp, "function", err) {
		return
	}
	known := readArchives(ctx, req.Private, &resp.Diagnostics)
	if imported := m.Name.IsNull(); imported {
		// The error is ignored: the function may have no code.
		known.Service, _ = r.Backend.CodeArchive(ctx, id, false)
		if n := r.namespace(ctx, regional.ID{Region: id.Region, UUID: f.NamespaceID}, m.ProjectID, &resp.Diagnostics); n != nil {
			m.setProject(n)
		}
	}
	m.URL = functionURL(ctx, r.Backend.Client, f, &resp.Diagnostics)
	m.fill(id, f, m.URL)
	m.Status = types.StringValue(f.Status.String())
	m.readDigest(&known)
	known.store(ctx, resp.Private, &resp.Diagnostics)
	writeOnly := tfkit.StoredSecretNames(ctx, req.Private, &resp.Diagnostics)
	m.SecretEnvironmentVariables = tfkit.KeepSecrets(m.SecretEnvironmentVariables, tfkit.WithoutSecrets(f.SecretEnvironmentVariables, writeOnly))
	m.setEmpty()
	warnOfState(id, &m, f, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Update implements resource.Resource. On failure it keeps the prior state, so that the
// next apply uploads the archive.
func (r *functionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
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
	f, err := r.Backend.SettledFunction(ctx, id, nil)
	if err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot update the function", err)
		return
	}
	known, private := readArchives(ctx, req.Private, &resp.Diagnostics), resp.Private
	changed := r.archiveChange(ctx, id, &m, &prior, &known, &resp.Diagnostics)
	known.uncertain = known.uncertain || changed
	known.store(ctx, private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	change := planDeployment(&prior, &m, changed, f)
	change.patch = m.updateRequest(id, secrets.Changes(f.SecretEnvironmentVariables), f)
	secrets.StoreNames(ctx, private, secrets.NamesDuring(), &resp.Diagnostics)
	if f = r.apply(ctx, id, &m, change, f, &known, &resp.Diagnostics); f != nil {
		secrets.StoreNames(ctx, private, secrets.NamesAfter(), &resp.Diagnostics)
		known.Seen, known.uncertain = client.Archive{}, false
		known.store(ctx, private, &resp.Diagnostics)
		m.fill(id, f, functionURL(ctx, r.Backend.Client, f, &resp.Diagnostics))
		m.SecretEnvironmentVariables = tfkit.HashSecrets(ctx, m.SecretEnvironmentVariables, f.SecretEnvironmentVariables, &resp.Diagnostics)
		if m.Status.IsUnknown() {
			m.Status = types.StringValue(f.Status.String())
		}
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	}
}

// Delete implements resource.Resource.
func (r *functionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.DeleteObject(ctx, req, resp, "function", timeout, r.Backend.DeleteFunction)
}

// MoveState implements resource.ResourceWithMoveState.
func (r *functionResource) MoveState(context.Context) []resource.StateMover {
	return tfkit.MoveFromOfficial(r.TypeName, resourceSchema())
}
