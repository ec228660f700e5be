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

// codeChange is what has to happen to a function, in this order. Each change of a
// function costs a deployment, which takes the real service minutes, so one
// change makes one deployment.
type codeChange struct {
	// created says that the function is new.
	created bool
	// upload says that the archive is to be uploaded.
	upload bool
	// patch is what is to be changed beside the code; nil is nothing. A patch
	// deploys the function by itself.
	patch *sdk.UpdateFunctionRequest
	// deploy says that the code is to be built and put into service.
	deploy bool
}

const statusAttribute = "status"

// deploymentPending reports whether the function should run code that is not in
// service: it was never deployed, or its last deployment failed.
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

// plannedStatus shows a deployment that is pending. A state of the official provider
// has no status; Read sets it.
func (m *model) plannedStatus(prior *model, others bool) types.String {
	ready := types.StringValue(sdk.FunctionStatusReady.String())
	switch {
	case prior == nil:
		return types.StringUnknown()
	case m.deploymentPending(prior):
		return ready
	case (others || m.ZipDigest.IsUnknown()) && !prior.Status.Equal(ready):
		return types.StringUnknown()
	default:
		return prior.Status
	}
}

// planCodeChange compares what the service cannot say: whether the archive has
// changed, and whether it is to be deployed. Removing zip_file leaves the code
// where it is. A state that was imported does not say whether the function is
// deployed; to say so later is no reason to deploy it.
func planCodeChange(prior, planned *model, changed bool, f *sdk.Function) codeChange {
	switchedOn := !prior.Deploy.IsNull() && !prior.Deploy.ValueBool()
	pending := planned.deploymentPending(prior) && f.Status != sdk.FunctionStatusReady
	return codeChange{upload: changed, deploy: planned.Deploy.ValueBool() && (changed || switchedOn || pending)}
}

// apply carries out a change and returns the function as it is then, or nil after
// an error, which it reports.
func (r *functionResource) apply(ctx context.Context, id regional.ID, m *model, change codeChange, f *sdk.Function, known *archives, diags *diag.Diagnostics) *sdk.Function {
	if change.upload {
		uploaded, err := r.Backend.Upload(ctx, id, m.ZipFile.ValueString())
		if err != nil {
			diags.AddAttributeError(path.Root("zip_file"), "Cannot upload the code of the function", tfkit.JoinSentences(tfkit.Sentence(err), r.Backend.Advice(err)))
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

// start sends at most one request that deploys the function, and returns the
// function as the service answers.
func (r *functionResource) start(ctx context.Context, id regional.ID, change codeChange, f *sdk.Function) (*sdk.Function, error) {
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

func (c codeChange) verb() string {
	if c.patch != nil {
		return "update"
	}
	return "deploy"
}

// healthy reports whether the function has come to rest where it should: ready,
// or made and never deployed.
func healthy(f *sdk.Function) bool {
	return f.Status == sdk.FunctionStatusReady || f.Status == sdk.FunctionStatusCreated
}

// neverDeployed reports whether there is no code that the function could run:
// the service puts such a function in error when it is changed, with the message
// "internal error" (recorded traffic of July 2026).
func neverDeployed(m *model, f *sdk.Function) bool {
	return m.ZipFile.IsNull() && f.ReadyAt == nil
}

// reportFailure reports a function that came to rest where it should not, and
// whether that is a warning only. A function that stays as broken as it was, in a
// change that does not touch it, is Read's to warn of.
//
// The failed deployment of a new function is a warning: after an error, Terraform
// would replace the function at the next apply. The state says that it is in status
// "error", so the next plan deploys it again, and then a failure is an error; see
// ADR 14.
func reportFailure(id regional.ID, m *model, change codeChange, f *sdk.Function, diags *diag.Diagnostics) bool {
	text := fmt.Sprintf("Function %s is in status %q%s.", id, f.Status, failure(f))
	report := diags.AddAttributeError
	if change.created {
		report = diags.AddAttributeWarning
	}
	switch {
	case change.deploy && !change.upload && neverDeployed(m, f):
		report(path.Root("deploy"), "The function has no code to deploy",
			text+" No code was ever uploaded: set zip_file, or remove deploy.")
	case change.patch == nil && !change.deploy:
		return true
	case neverDeployed(m, f):
		diags.AddWarning("The function has no code", text+" This is how the service reports a change of a function that was never deployed: set zip_file and deploy = true to give it code.")
		return true
	case change.created:
		report(path.Root("zip_file"), "The function is not in service", text+
			" The function exists and is kept. Correct the code or the settings, or leave them as they are, and apply again: that deploys it.")
	default:
		report(path.Root("zip_file"), "The function is not in service", text+
			" An older deployment, if there is one, goes on serving. Correct the code or the settings, or leave them as they are, and apply again: that deploys it.")
	}
	return change.created
}

// failure quotes everything that the service says went wrong.
func failure(f *sdk.Function) string {
	return tfkit.Reason(f.ErrorMessage) + tfkit.Reason(f.BuildMessage)
}

// warnOfState reports a function in the state that is not in service.
func warnOfState(id regional.ID, m *model, f *sdk.Function, diags *diag.Diagnostics) {
	if healthy(f) || neverDeployed(m, f) {
		return
	}
	diags.AddWarning("The function is not in service",
		fmt.Sprintf("Function %s is in status %q%s. An older deployment, if there is one, goes on serving.", id, f.Status, failure(f)))
}
