package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// A Spec is the wanted state of a function. Fields other than Name, Runtime and Handler may be
// zero, and then the existing function keeps its setting.
type Spec struct {
	Name, Runtime, Handler string
	// Privacy is public or private; empty means private for a new function.
	Privacy, Description, HTTPOption string
	Memory                           uint32
	Timeout                          time.Duration
	MinScale, MaxScale               *uint32
	Env                              map[string]string
	// Secrets are added to the secret variables of the function.
	Secrets map[string]string
}

// EnsureNamespace returns the namespace with a name in the default project and the region, and
// creates it if there is none. It waits until the namespace is ready.
func (s *Server) EnsureNamespace(ctx context.Context, region scw.Region, name string) (n *function.Namespace, created bool, err error) {
	n, err = s.Namespace(ctx, string(region)+"/"+name)
	if _, missing := errors.AsType[*NotFoundError](err); missing {
		n, err = s.Functions.CreateNamespace(&function.CreateNamespaceRequest{Region: region, Name: name}, scw.WithContext(ctx))
		created = err == nil
	}
	for err == nil && n.Status != function.NamespaceStatusReady {
		if n.Status == function.NamespaceStatusError {
			return n, created, fmt.Errorf("create namespace %s: %s", name, text(n.ErrorMessage))
		}
		if err = pause(ctx); err == nil {
			n, err = s.Functions.GetNamespace(&function.GetNamespaceRequest{Region: region, NamespaceID: n.ID}, scw.WithContext(ctx))
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("create namespace %s: %w", name, err)
	}
	return n, created, nil
}

// poll is the time between two requests for a status.
const poll = 40 * time.Millisecond

func pause(ctx context.Context) error {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// EnsureFunction creates the function of a namespace, or updates it where it differs. It does not
// deploy: changed reports whether settings have changed that need a deployment.
func (s *Server) EnsureFunction(ctx context.Context, n *function.Namespace, spec Spec) (f *function.Function, created, changed bool, err error) {
	list, err := s.Functions.ListFunctions(&function.ListFunctionsRequest{Region: n.Region, NamespaceID: n.ID, Name: &spec.Name}, scw.WithContext(ctx))
	if err != nil {
		return nil, false, false, fmt.Errorf("list functions of namespace %s: %w", n.Name, err)
	}
	if len(list.Functions) == 0 {
		f, err = s.Functions.CreateFunction(spec.create(n), scw.WithContext(ctx))
		if err != nil {
			return nil, false, false, fmt.Errorf("create function %s: %w", spec.Name, err)
		}
		return f, true, true, nil
	}
	f = list.Functions[0]
	request, changed := spec.update(f)
	if !changed {
		return f, false, false, nil
	}
	f, err = s.Functions.UpdateFunction(request, scw.WithContext(ctx))
	if err != nil {
		return nil, false, false, fmt.Errorf("update function %s: %w", spec.Name, err)
	}
	return f, false, true, nil
}

func (s Spec) create(n *function.Namespace) *function.CreateFunctionRequest {
	request := &function.CreateFunctionRequest{
		Region: n.Region, NamespaceID: n.ID, Name: s.Name, Runtime: function.FunctionRuntime(s.Runtime), Handler: &s.Handler,
		Privacy: function.FunctionPrivacyPrivate, HTTPOption: function.FunctionHTTPOption(s.HTTPOption), MinScale: s.MinScale, MaxScale: s.MaxScale,
		SecretEnvironmentVariables: s.secrets(),
	}
	if s.Privacy != "" {
		request.Privacy = function.FunctionPrivacy(s.Privacy)
	}
	if s.Description != "" {
		request.Description = &s.Description
	}
	if s.Memory != 0 {
		request.MemoryLimit = &s.Memory
	}
	if s.Timeout != 0 {
		request.Timeout = scw.NewDurationFromTimeDuration(s.Timeout)
	}
	if s.Env != nil {
		request.EnvironmentVariables = &s.Env
	}
	return request
}

func (s Spec) secrets() []*function.Secret {
	var all []*function.Secret
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		all = append(all, &function.Secret{Key: name, Value: new(s.Secrets[name])})
	}
	return all
}

// update returns the request that makes an existing function match s. It sets redeploy to false:
// the code is deployed afterwards.
func (s Spec) update(f *function.Function) (request *function.UpdateFunctionRequest, changed bool) {
	request = &function.UpdateFunctionRequest{
		Region: f.Region, FunctionID: f.ID, Redeploy: new(false), SecretEnvironmentVariables: s.secrets(),
		Runtime: f.Runtime, Privacy: f.Privacy, HTTPOption: f.HTTPOption,
	}
	changed = len(s.Secrets) > 0
	set := func(differs bool, apply func()) {
		if differs {
			apply()
			changed = true
		}
	}
	set(s.Runtime != string(f.Runtime), func() { request.Runtime = function.FunctionRuntime(s.Runtime) })
	set(s.Handler != f.Handler, func() { request.Handler = &s.Handler })
	set(s.Privacy != "" && s.Privacy != string(f.Privacy), func() { request.Privacy = function.FunctionPrivacy(s.Privacy) })
	set(s.HTTPOption != "" && s.HTTPOption != string(f.HTTPOption), func() { request.HTTPOption = function.FunctionHTTPOption(s.HTTPOption) })
	set(s.Description != "" && s.Description != text(f.Description), func() { request.Description = &s.Description })
	set(s.Memory != 0 && s.Memory != f.MemoryLimit, func() { request.MemoryLimit = &s.Memory })
	set(s.Timeout != 0 && (f.Timeout == nil || s.Timeout != *f.Timeout.ToTimeDuration()), func() { request.Timeout = scw.NewDurationFromTimeDuration(s.Timeout) })
	set(s.MinScale != nil && *s.MinScale != f.MinScale, func() { request.MinScale = s.MinScale })
	set(s.MaxScale != nil && *s.MaxScale != f.MaxScale, func() { request.MaxScale = s.MaxScale })
	set(s.Env != nil && !maps.Equal(s.Env, f.EnvironmentVariables), func() { request.EnvironmentVariables = &s.Env })
	return request, changed
}

// Upload uploads an archive as the code of a function. It calls progress with the number of bytes
// that were sent.
func (s *Server) Upload(ctx context.Context, f *function.Function, archive []byte, progress func(sent int)) error {
	target, err := s.Functions.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{
		Region: f.Region, FunctionID: f.ID, ContentLength: uint64(len(archive)),
	}, scw.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("upload code of function %s: %w", f.Name, err)
	}
	body := &countingReader{Reader: bytes.NewReader(archive), progress: progress}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, target.URL, body)
	if err != nil {
		return err
	}
	for name, values := range target.Headers {
		request.Header[http.CanonicalHeaderKey(name)] = *values
	}
	request.ContentLength = int64(len(archive))
	response, err := s.http.Do(request)
	if err != nil {
		return fmt.Errorf("upload code of function %s: %w", f.Name, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		content, _ := io.ReadAll(io.LimitReader(response.Body, maxError)) // An incomplete message is still useful.
		return fmt.Errorf("upload code of function %s: %w", f.Name, newError(response.StatusCode, content))
	}
	return nil
}

// countingReader reports how much of it was read.
type countingReader struct {
	io.Reader

	progress func(int)
	read     int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	c.progress(c.read)
	return n, err
}

// An Event is a step of a deployment.
type Event struct {
	// Step is the build message of the function, if it has changed.
	Step string
	// Log has the new part of the output of the build.
	Log string
}

// A DeploymentError means that a deployment has failed. Revision reports whether an older
// deployment continues to serve.
type DeploymentError struct {
	Name, Message string
	OlderServes   bool
}

// Error implements error.
func (e *DeploymentError) Error() string {
	end := ""
	if e.OlderServes {
		end = ": the previous deployment continues to serve"
	}
	return fmt.Sprintf("deploy function %s: %s%s", e.Name, e.Message, end)
}

// Deploy deploys the code that was uploaded last, and waits for the end of the deployment. It
// calls report with each step. It returns *DeploymentError if the deployment fails.
func (s *Server) Deploy(ctx context.Context, f *function.Function, report func(Event)) (*function.Function, error) {
	before, err := s.BuildLog(ctx, f)
	if err != nil {
		return nil, err
	}
	served := f.ReadyAt != nil
	started, err := s.Functions.DeployFunction(&function.DeployFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("deploy function %s: %w", f.Name, err)
	}
	d := deployment{server: s, report: report, previous: before.StartedAt}
	ended, err := d.follow(ctx, started)
	if failure, ok := errors.AsType[*DeploymentError](err); ok {
		failure.OlderServes = served
	}
	return ended, err
}

// deployment follows one deployment.
type deployment struct {
	server *Server
	report func(Event)
	// previous identifies the build before the deployment.
	previous time.Time
	step     string
	printed  string
}

func (d *deployment) follow(ctx context.Context, f *function.Function) (*function.Function, error) {
	for polls := 0; ; polls++ {
		ended := f.Status == function.FunctionStatusReady || f.Status == function.FunctionStatusError
		if step := text(f.BuildMessage); step != "" && step != d.step && !ended {
			d.step = step
			d.report(Event{Step: step})
		}
		// Deployments without a build end before the first request for the log.
		if ended || polls%5 == 4 {
			if err := d.readLog(ctx, f); err != nil {
				return f, err
			}
		}
		switch f.Status {
		case function.FunctionStatusReady:
			return f, nil
		case function.FunctionStatusError:
			return f, &DeploymentError{Name: f.Name, Message: text(f.ErrorMessage)}
		case function.FunctionStatusPending, function.FunctionStatusCreating:
		default:
			return f, fmt.Errorf("deploy function %s: unexpected status %q", f.Name, f.Status)
		}
		if err := pause(ctx); err != nil {
			return f, fmt.Errorf("wait for function %s in status %q: %w", f.Name, f.Status, err)
		}
		current, err := d.server.Functions.GetFunction(&function.GetFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
		if StatusOf(err) == http.StatusServiceUnavailable {
			continue
		}
		if err != nil {
			return f, fmt.Errorf("get function %s: %w", f.Name, err)
		}
		f = current
	}
}

// readLog reports the new part of the build log.
func (d *deployment) readLog(ctx context.Context, f *function.Function) error {
	log, err := d.server.BuildLog(ctx, f)
	if err != nil || log.Log == "" || log.StartedAt.Equal(d.previous) {
		return err
	}
	// The first line describes the build.
	_, output, _ := strings.Cut(log.Log, "\n")
	// The log of a build that has ended may omit a part.
	fresh := output
	if strings.HasPrefix(output, d.printed) {
		fresh = output[len(d.printed):]
	}
	if fresh != "" {
		d.report(Event{Log: fresh})
	}
	d.printed = output
	return nil
}
