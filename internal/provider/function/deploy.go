package function

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// deployment is what an apply does to a function: upload the archive, send the patch,
// deploy. It sends at most one request that deploys the function, because a deployment
// takes minutes at Scaleway.
type deployment struct {
	// created is set for a new function.
	created bool
	upload  bool
	// patch contains the changes of other attributes; nil means none. A patch deploys
	// the function by itself.
	patch *sdk.UpdateFunctionRequest
	// deploy builds and deploys the uploaded code.
	deploy bool
}

const statusAttribute = "status"

// deploymentPending reports whether the configured code is not deployed, because it never
// was or because the last deployment failed.
func (m *model) deploymentPending(prior *model) bool {
	if prior == nil || m.ZipFile.IsNull() || !m.Deploy.ValueBool() {
		return false
	}
	switch sdk.FunctionStatus(prior.Status.ValueString()) {
	case sdk.FunctionStatusCreated, sdk.FunctionStatusError:
		return true
	default:
		return false
	}
}

// plannedStatus returns the status to plan. It is "ready" for a pending deployment, so
// that the plan shows it. A state of the official provider has no status; Read sets it.
func (m *model) plannedStatus(prior *model, otherChanges bool) types.String {
	ready := types.StringValue(sdk.FunctionStatusReady.String())
	switch {
	case prior == nil:
		return types.StringUnknown()
	case m.deploymentPending(prior):
		return ready
	case (otherChanges || m.ZipDigest.IsUnknown()) && !prior.Status.Equal(ready):
		return types.StringUnknown()
	default:
		return prior.Status
	}
}

// planDeployment decides whether the apply uploads and deploys the code. Removing zip_file
// keeps the code of the function. Configuring deploy for the first time after an import
// does not deploy the function, because the imported state does not contain deploy.
func planDeployment(prior, planned *model, changed bool, f *sdk.Function) deployment {
	switchedOn := !prior.Deploy.IsNull() && !prior.Deploy.ValueBool()
	pending := planned.deploymentPending(prior) && f.Status != sdk.FunctionStatusReady
	return deployment{upload: changed, deploy: planned.Deploy.ValueBool() && (changed || switchedOn || pending)}
}

// apply carries out the deployment and waits for its end. It returns the function, or
// nil after it has added an error.
func (r *functionResource) apply(ctx context.Context, id regional.ID, m *model, change deployment, f *sdk.Function, known *archives, diags *diag.Diagnostics) *sdk.Function {
	if change.upload {
		uploaded, err := r.Backend.Upload(ctx, id, m.ZipFile.ValueString())
		if err != nil {
			diags.AddAttributeError(path.Root("zip_file"), "Cannot upload the code of the function", r.Backend.Detail(err))
			return nil
		}
		known.Service = uploaded
		if m.ZipDigest.IsUnknown() || change.created {
			m.setDigest(uploaded)
		}
	}
	started, err := r.start(ctx, id, change, f)
	if err != nil {
		r.Backend.AddError(diags, "Cannot "+change.verb()+" the function", err)
		return nil
	}
	settled, err := r.Backend.SettledFunction(ctx, id, started)
	if err != nil {
		r.Backend.AddError(diags, "The function did not become ready", err)
		return nil
	}
	if !healthy(settled) && !reportFailure(id, m, change, settled, diags) {
		return nil
	}
	return settled
}

// start sends the request that changes or deploys the function, if there is one, and
// returns the function from the answer.
func (r *functionResource) start(ctx context.Context, id regional.ID, change deployment, f *sdk.Function) (*sdk.Function, error) {
	switch {
	case change.patch != nil:
		if change.deploy {
			change.patch.Redeploy = new(true)
		}
		return r.Backend.API().UpdateFunction(change.patch, client.Context(ctx))
	case change.deploy:
		return r.Backend.API().DeployFunction(&sdk.DeployFunctionRequest{Region: id.Region, FunctionID: id.UUID}, client.Context(ctx))
	default:
		return f, nil
	}
}

// verb returns the operation, for messages.
func (d deployment) verb() string {
	if d.patch != nil {
		return "update"
	}
	return "deploy"
}

// healthy reports whether the function is ready, or was created and never deployed.
func healthy(f *sdk.Function) bool {
	return f.Status == sdk.FunctionStatusReady || f.Status == sdk.FunctionStatusCreated
}

// neverDeployed reports whether the function has no code. The service sets the status
// "error" when such a function is changed, with the message "internal error" (recorded
// traffic of July 2026).
func neverDeployed(m *model, f *sdk.Function) bool {
	return m.ZipFile.IsNull() && f.ReadyAt == nil
}

// reportFailure adds a warning or an error about a function that is not healthy, and
// returns true for a warning. It adds nothing if the apply sent no request to the
// function: Read warns of that.
//
// The failed deployment of a new function is a warning: after an error, Terraform would
// replace the function in the next apply. The status "error" in the state makes the next
// plan deploy it again, and a failure is an error then; see ADR 14.
func reportFailure(id regional.ID, m *model, change deployment, f *sdk.Function, diags *diag.Diagnostics) bool {
	text := fmt.Sprintf("Function %s is in status %q%s.", id, f.Status, failure(f))
	report := diags.AddAttributeError
	if change.created {
		report = diags.AddAttributeWarning
	}
	switch {
	case change.deploy && !change.upload && neverDeployed(m, f):
		report(path.Root("deploy"), "The function has no code to deploy",
			text+" No code has been uploaded: set zip_file, or remove deploy.")
	case change.patch == nil && !change.deploy:
		return true
	case neverDeployed(m, f):
		diags.AddWarning("The function has no code", text+" The service reports this status if a function is changed that was never deployed: set zip_file and deploy = true to deploy code.")
		return true
	case change.created:
		report(path.Root("zip_file"), "The function is not ready", text+
			" The function was created but not deployed. Correct the code or the settings if necessary, and apply again to deploy it.")
	default:
		report(path.Root("zip_file"), "The function is not ready", text+
			" "+serving(f)+" Correct the code or the settings if necessary, and apply again to deploy it.")
	}
	return change.created
}

// failure returns the error messages of the service.
func failure(f *sdk.Function) string {
	return tfkit.Reason(f.ErrorMessage) + tfkit.Reason(f.BuildMessage)
}

// warnOfState warns of a function in the state that is not ready.
func warnOfState(id regional.ID, m *model, f *sdk.Function, diags *diag.Diagnostics) {
	if healthy(f) || neverDeployed(m, f) {
		return
	}
	diags.AddWarning("The function is not ready",
		fmt.Sprintf("Function %s is in status %q%s. %s", id, f.Status, failure(f), serving(f)))
}

// serving says whether an earlier deployment of a function serves calls.
func serving(f *sdk.Function) string {
	if f.ReadyAt == nil {
		return "No deployment of the function has succeeded yet, so it serves no calls."
	}
	return "The previous deployment keeps serving calls."
}
