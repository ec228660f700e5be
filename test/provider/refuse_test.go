package provider_test

import (
	"context"

	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// refuseNextWait is a plan check that makes the next read of a function fail. It runs
// after the refresh, so that the next read is the wait before the deployment.
type refuseNextWait struct{ *world }

// CheckPlan implements plancheck.PlanCheck.
func (r refuseNextWait) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	r.front.Answer(1, "GET", "/functions/[0-9a-f-]+$", 403, `{"message":"the wait is refused"}`)
}
