package preflight

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/discovery"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// Config configures a Checker. API, Namespace, Images, Labels and NewID are required.
type Config struct {
	// API is how to reach the API server.
	API *rest.Config
	// Namespace has the Pods of functions.
	Namespace string
	// Images has the image of each language.
	Images map[string]string
	// Labels are those of the Pods of functions, by which network policies select them.
	Labels map[string]string
	// ServiceAccount, RuntimeClass and PullSecrets are those of the Pods of functions.
	ServiceAccount, RuntimeClass string
	PullSecrets                  []string
	// Canary is an address of this Pod that functions must not reach. This process listens at it,
	// unless the server in the same Pod does. Empty means that this process is not in a Pod: then
	// the network policies cannot be checked.
	Canary string
	// NewID returns a unique suffix of lower-case letters and digits for the names of Pods.
	NewID func() string
}

// The outcomes of a check.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "FAILED"
	Skipped Status = "skipped"
)

// A Status is the outcome of a check.
type Status string

// A Result is the outcome of a check. Detail says what was found, and Change what to change; it
// is empty if there is nothing to change.
type Result struct {
	Name           string
	Status         Status
	Detail, Change string
}

// podTimeout is the time that a Pod has to pull its image, start and end.
const podTimeout = 3 * time.Minute

// A Checker checks a cluster. It is safe for concurrent use.
type Checker struct {
	config        Config
	pods          corev1.PodInterface
	authorization authorizationv1.AuthorizationV1Interface
	discovery     *discovery.DiscoveryClient
	clock         *clock
}

// New returns a Checker. It sends no request.
func New(config Config) (*Checker, error) {
	if config.API == nil || config.Namespace == "" || len(config.Images) == 0 || len(config.Labels) == 0 || config.NewID == nil {
		return nil, errors.New("preflight: API, Namespace, Images, Labels and NewID are required")
	}
	c := &Checker{config: config, clock: new(clock)}
	api := rest.CopyConfig(config.API)
	api.Timeout, api.QPS, api.Burst = 20*time.Second, 50, 100
	api.Wrap(func(next http.RoundTripper) http.RoundTripper { return c.clock.observe(next) })
	core, err := corev1.NewForConfig(api)
	if err != nil {
		return nil, fmt.Errorf("configure client of Kubernetes: %w", err)
	}
	c.pods = core.Pods(config.Namespace)
	if c.authorization, err = authorizationv1.NewForConfig(api); err != nil {
		return nil, fmt.Errorf("configure client of Kubernetes: %w", err)
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfig(api); err != nil {
		return nil, fmt.Errorf("configure client of Kubernetes: %w", err)
	}
	return c, nil
}

// Run runs all checks. If the API server does not answer, the others are left out.
func (c *Checker) Run(ctx context.Context) []Result {
	results := []Result{c.checkAPI()}
	if results[0].Status == Failed {
		return results
	}
	results = append(results, c.clock.result(), c.checkPermissions(ctx), c.checkExcess(ctx), c.checkSecurity(ctx))
	// Pods take seconds: their checks run at the same time.
	var group sync.WaitGroup
	var images, network []Result
	group.Go(func() { images = c.checkImages(ctx) })
	group.Go(func() { network = c.checkNetwork(ctx) })
	group.Wait()
	return append(append(results, images...), network...)
}

// The versions of Kubernetes: the oldest that Jeton supports, and the first whose kubelet
// reports changes of Pods at once.
var (
	oldest = version.MustParseSemantic("v1.30.0")
	prompt = version.MustParseSemantic("v1.36.0")
)

func (c *Checker) checkAPI() Result {
	r := Result{Name: "API", Status: OK}
	start := time.Now()
	info, err := c.discovery.ServerVersion()
	if err != nil {
		r.Status, r.Detail = Failed, fmt.Sprintf("%s does not answer: %v", c.config.API.Host, err)
		r.Change = "check the address, the network policies for egress of Jeton's nodes, and the service account's token"
		return r
	}
	r.Detail = fmt.Sprintf("%s at %s answers in %v", info.GitVersion, c.config.API.Host, time.Since(start).Round(time.Millisecond))
	found, err := version.ParseSemantic(info.GitVersion)
	switch {
	case err != nil:
		r.Status, r.Change = Warning, "check that the version is 1.30 or later"
	case found.LessThan(oldest):
		r.Status, r.Change = Failed, "upgrade to Kubernetes 1.30 or later"
	case found.LessThan(prompt):
		r.Status = Warning
		r.Detail += "; its kubelets report new Pods up to a second late"
		r.Change = "keep warm Pods, or upgrade to Kubernetes 1.36 or later for faster starts without them"
	}
	return r
}

// tolerance is the difference of clocks that is without effect. The API server states its time
// in whole seconds.
const tolerance = 3 * time.Second

// A clock compares the time of the API server's answers with that of this machine.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
	known  bool
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c *clock) observe(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.offset, c.known = time.Since(date), true
		}
		return response, nil
	})
}

func (c *clock) result() Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Result{Name: "Clock", Status: OK, Detail: "that of the API server and this one agree"}
	switch {
	case !c.known:
		r.Status, r.Detail = Warning, "the API server does not state its time"
	case c.offset.Abs() > tolerance:
		r.Status, r.Detail = Failed, fmt.Sprintf("this clock is %v ahead of that of the API server", c.offset.Round(time.Second))
		r.Change = "synchronize the clocks of all machines: tokens of Pods and of callers expire at the wrong time"
	}
	return r
}
