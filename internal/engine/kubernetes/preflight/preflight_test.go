package preflight_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"

	"github.com/jeton-dev/jeton/internal/engine/kubernetes/preflight"
)

// An apiServer answers the requests of the checks. Its Pods end at once.
type apiServer struct {
	version string
	ahead   time.Duration
	// allowed decides on permissions, by verb and resource.
	allowed func(verb, resource, namespace string) bool
	// restricted is whether privileged Pods are refused.
	restricted bool
	// waiting is why containers wait; nil means that they succeed.
	waiting *core.ContainerStateWaiting

	mu   sync.Mutex
	pods map[string]*core.Pod
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", time.Now().Add(s.ahead).UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	answer := func(status int, object any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(object)
	}
	failure := func(status int, reason metav1.StatusReason, message string) {
		answer(status, metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: reason, Message: message, Code: int32(status),
		})
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/functions/pods")
	switch {
	case r.URL.Path == "/version":
		answer(200, version.Info{GitVersion: s.version})
	case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
		var review authorization.SelfSubjectAccessReview
		_ = json.NewDecoder(r.Body).Decode(&review)
		a := review.Spec.ResourceAttributes
		review.Status.Allowed = s.allowed(a.Verb, strings.Trim(a.Resource+"/"+a.Subresource, "/"), a.Namespace)
		answer(201, review)
	case r.Method == http.MethodPost && path == "":
		var pod core.Pod
		_ = json.NewDecoder(r.Body).Decode(&pod)
		if context := pod.Spec.Containers[0].SecurityContext; s.restricted && context.Privileged != nil && *context.Privileged {
			failure(403, metav1.StatusReasonForbidden, "violates PodSecurity")
			return
		}
		if r.URL.Query().Get("dryRun") == "" {
			s.pods[pod.Name] = &pod
		}
		pod.Status.Phase = core.PodSucceeded
		if s.waiting != nil {
			pod.Status = core.PodStatus{Phase: core.PodPending, ContainerStatuses: []core.ContainerStatus{{State: core.ContainerState{Waiting: s.waiting}}}}
		}
		answer(201, pod)
	case s.pods[strings.TrimPrefix(path, "/")] == nil:
		failure(404, metav1.StatusReasonNotFound, "not found")
	case r.Method == http.MethodDelete:
		delete(s.pods, strings.TrimPrefix(path, "/"))
		answer(200, metav1.Status{Status: metav1.StatusSuccess})
	default:
		answer(200, s.pods[strings.TrimPrefix(path, "/")])
	}
}

// theRole permits what the Role of the chart permits.
func theRole(_, resource, namespace string) bool {
	return resource == "pods" && namespace == "functions"
}

func run(t *testing.T, s *apiServer) map[string]preflight.Result {
	t.Helper()
	s.pods = map[string]*core.Pod{}
	server := httptest.NewServer(s)
	defer server.Close()
	return runAt(t, server.URL, s)
}

func runAt(t *testing.T, host string, s *apiServer) map[string]preflight.Result {
	t.Helper()
	checker, err := preflight.New(preflight.Config{
		API: &rest.Config{Host: host, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, Namespace: "functions", Images: map[string]string{"node": "registry.example/node:1"},
		Labels: map[string]string{"jeton.dev/installation": "jeton"}, NewID: func() string { return "1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]preflight.Result{}
	for _, r := range checker.Run(t.Context()) {
		results[r.Name] = r
	}
	if len(s.pods) != 0 {
		t.Errorf("the checks leave the Pods %v", s.pods)
	}
	return results
}

func TestRun_AcceptsCluster(t *testing.T) {
	t.Parallel()
	results := run(t, &apiServer{version: "v1.37.2", allowed: theRole, restricted: true})
	for _, name := range []string{"API", "Clock", "Permissions", "Excess", "Pod Security", "Image node"} {
		if r := results[name]; r.Status != preflight.OK || r.Change != "" {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	if r := results["Egress"]; r.Status != preflight.Skipped {
		t.Errorf("outside of a Pod the egress is %+v", r)
	}
}

func TestRun_NamesWhatToChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		server         *apiServer
		check          string
		status         preflight.Status
		detail, change string
	}{
		{"old", &apiServer{version: "v1.29.4"}, "API", preflight.Failed, "v1.29.4 at", "upgrade to Kubernetes 1.30 or later"},
		{"slow status", &apiServer{version: "v1.34.4"}, "API", preflight.Warning, "report new Pods up to a second late", "keep warm Pods"},
		{"clock", &apiServer{version: "v1.37.2", ahead: -time.Minute}, "Clock", preflight.Failed, "ahead of that of the API server", "synchronize the clocks"},
		{
			"no permission", &apiServer{version: "v1.37.2", allowed: func(verb, _, _ string) bool { return verb == "list" }},
			"Permissions", preflight.Failed, "not allowed for Pods of namespace functions: create, get, watch, patch, delete", "bind the Role",
		},
		{
			"administrator", &apiServer{version: "v1.37.2", allowed: func(_, _, _ string) bool { return true }},
			"Excess", preflight.Warning, "get secrets in functions, create pods/exec in functions, create pods in kube-system, list nodes", "has the Role of the chart only",
		},
		{"privileged", &apiServer{version: "v1.37.2"}, "Pod Security", preflight.Warning, "accepts privileged Pods", "kubectl label namespace functions"},
		{
			"image", &apiServer{version: "v1.37.2", waiting: &core.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}},
			"Image node", preflight.Failed, "registry.example/node:1 does not run: ErrImagePull: not found", "push the image",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.server.allowed == nil {
				c.server.allowed = theRole
			}
			r := run(t, c.server)[c.check]
			if r.Status != c.status || !strings.Contains(r.Detail, c.detail) || !strings.Contains(r.Change, c.change) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestRun_StopsWithoutAPI(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	results := runAt(t, server.URL, new(apiServer))
	if r := results["API"]; len(results) != 1 || r.Status != preflight.Failed || !strings.Contains(r.Change, "check the address") {
		t.Errorf("got %+v", results)
	}
}

func TestNew_RequiresConfig(t *testing.T) {
	t.Parallel()
	if _, err := preflight.New(preflight.Config{}); err == nil || !strings.Contains(err.Error(), "are required") {
		t.Errorf("got %v", err)
	}
}
