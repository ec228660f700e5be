package provider_test

import (
	"context"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// refuseNextWait is a plan check that checks nothing: Terraform has looked at the
// function when it runs, so the next look is the one before the deployment.
type refuseNextWait struct{ *world }

// CheckPlan implements plancheck.PlanCheck.
func (r refuseNextWait) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	r.front.Answer(1, "GET", "/functions/[0-9a-f-]+$", 403, `{"message":"the wait is refused"}`)
}
