package preflight

import (
	"context"
	"fmt"
	"strings"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// needed are the verbs for Pods that the engine uses.
var needed = []string{"create", "get", "list", "watch", "patch", "delete"}

func (c *Checker) allowed(ctx context.Context, a authorization.ResourceAttributes) (bool, error) {
	review, err := c.authorization.SelfSubjectAccessReviews().Create(ctx, &authorization.SelfSubjectAccessReview{
		Spec: authorization.SelfSubjectAccessReviewSpec{ResourceAttributes: &a},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

func (c *Checker) checkPermissions(ctx context.Context) Result {
	r := Result{Name: "Permissions", Status: OK, Detail: "for Pods of namespace " + c.config.Namespace + ": " + strings.Join(needed, ", ")}
	var missing []string
	for _, verb := range needed {
		ok, err := c.allowed(ctx, authorization.ResourceAttributes{Namespace: c.config.Namespace, Verb: verb, Resource: "pods"})
		if err != nil {
			r.Status, r.Detail, r.Change = Failed, fmt.Sprintf("cannot be checked: %v", err), "check the API server"
			return r
		}
		if !ok {
			missing = append(missing, verb)
		}
	}
	if len(missing) > 0 {
		r.Status, r.Detail = Failed, fmt.Sprintf("not allowed for Pods of namespace %s: %s", c.config.Namespace, strings.Join(missing, ", "))
		r.Change = "bind the Role of the chart (templates/rbac.yaml) to the service account of the nodes"
	}
	return r
}

// checkExcess looks for permissions that a stolen token of a node would give away.
func (c *Checker) checkExcess(ctx context.Context) Result {
	r := Result{Name: "Excess", Status: OK, Detail: "no permissions beyond Pods of the namespace were found"}
	var excess []string
	for _, a := range []authorization.ResourceAttributes{
		{Namespace: c.config.Namespace, Verb: "get", Resource: "secrets"},
		{Namespace: c.config.Namespace, Verb: "create", Resource: "pods", Subresource: "exec"},
		{Namespace: "kube-system", Verb: "create", Resource: "pods"},
		{Verb: "list", Resource: "nodes"},
	} {
		ok, err := c.allowed(ctx, a)
		if err != nil {
			r.Status, r.Detail = Warning, fmt.Sprintf("cannot be checked: %v", err)
			return r
		}
		if ok {
			what := strings.Trim(a.Resource+"/"+a.Subresource, "/")
			if a.Namespace != "" {
				what += " in " + a.Namespace
			}
			excess = append(excess, a.Verb+" "+what)
		}
	}
	if len(excess) > 0 {
		r.Status, r.Detail = Warning, "this account may also "+strings.Join(excess, ", ")
		r.Change = "run Jeton with a service account that has the Role of the chart only"
	}
	return r
}

// checkSecurity asks the API server, without creating a Pod, whether it accepts the Pods of
// functions and refuses a privileged one.
func (c *Checker) checkSecurity(ctx context.Context) Result {
	r := Result{Name: "Pod Security", Status: OK, Detail: "the namespace accepts restricted Pods only"}
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	if _, err := c.pods.Create(ctx, c.pod("accepted", c.anyImage(), nil), dryRun); err != nil {
		r.Status, r.Detail = Failed, fmt.Sprintf("the namespace refuses the Pods of functions: %v", err)
		r.Change = "change the admission policies, or the quota, that the message names"
		return r
	}
	privileged := c.pod("refused", c.anyImage(), nil)
	for i := range privileged.Spec.Containers {
		privileged.Spec.Containers[i].SecurityContext = &core.SecurityContext{Privileged: new(true), AllowPrivilegeEscalation: new(true)}
	}
	if _, err := c.pods.Create(ctx, privileged, dryRun); err == nil {
		r.Status, r.Detail = Warning, "the namespace accepts privileged Pods"
		r.Change = fmt.Sprintf("kubectl label namespace %s pod-security.kubernetes.io/enforce=restricted", c.config.Namespace)
	}
	return r
}
