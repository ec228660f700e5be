package leave

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
)

// Target is the server that an account is imported to: admin.Client.
type Target interface {
	Import(context.Context, admin.ImportRequest) (admin.ImportReport, error)
	ImportCode(ctx context.Context, functionID string, code admin.ImportedArchive) (admin.ImportedCode, error)
	ForeignTokens(ctx context.Context, namespaceID string) (admin.ForeignTokens, error)
}

// RunnerConfig has the parts and settings of a Runner. Source and Target are required.
type RunnerConfig struct {
	Source *Source
	Target Target
	// DryRun checks everything, and changes nothing.
	DryRun bool
	// Keys are public keys by the ID or name of the namespace, as PEM. With RequestKeys,
	// those of other namespaces that the server does not have are requested from the source.
	Keys        map[string]string
	RequestKeys bool
	Secrets     Secrets
	// Skip are kinds that are left out.
	Skip []string
	// Parallel is the number of namespaces, and of functions, that are imported
	// concurrently; zero means 8.
	Parallel int
	// Progress is called with a step and how much of it is done; nil for none. It may be
	// called concurrently.
	Progress func(step string, done, total int)
}

// Runner imports an account. Run may be repeated after an error or an interruption: it
// continues, and brings what has changed since.
type Runner struct {
	config  RunnerConfig
	account *Account
	// keys and secrets are those of the configuration by the ID of their owner.
	keys    map[string][]string
	secrets Secrets
	hashing chan struct{}

	mu     sync.Mutex
	report Report
}

// NewRunner returns a Runner. Returns an error if a required field is missing, or a key is
// not valid.
func NewRunner(c RunnerConfig) (*Runner, error) {
	if c.Source == nil || c.Target == nil {
		return nil, errors.New("configure the import: Source and Target are required")
	}
	for namespace, key := range c.Keys {
		checked, err := foreign.CheckKey(key)
		if err != nil {
			return nil, fmt.Errorf("public key of namespace %s: %w", namespace, err)
		}
		c.Keys[namespace] = checked
	}
	if c.Parallel == 0 {
		c.Parallel = parallel
	}
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
	return &Runner{config: c, hashing: make(chan struct{}, concurrentHashes)}, nil
}

func (r *Runner) skips(kind string) bool { return slices.Contains(r.config.Skip, kind) }

// The steps of Run.
const (
	stepRead   = "read namespaces"
	stepImport = "import namespaces"
	stepCode   = "import code"
)

// Run imports the account and returns the report, which is complete unless there is an
// error. Objects that cannot be imported are in the report.
func (r *Runner) Run(ctx context.Context) (*Report, error) {
	account, err := r.config.Source.Read(ctx, func(done, total int) { r.config.Progress(stepRead, done, total) })
	if err != nil {
		return nil, err
	}
	r.account, r.report = account, Report{DryRun: r.config.DryRun, Issuer: r.config.Source.Issuer}
	for _, n := range account.Namespaces {
		r.report.Namespaces = append(r.report.Namespaces, &NamespaceReport{ID: n.ID, Name: n.Name, Region: string(n.Region), Counts: map[string]Count{}})
	}
	if err := r.resolve(); err != nil {
		return nil, err
	}
	codes := make([][]*Function, len(account.Namespaces))
	err = r.each(ctx, stepImport, len(account.Namespaces), func(n int) {
		codes[n] = r.importNamespace(ctx, account.Namespaces[n], r.report.Namespaces[n])
	})
	if err != nil {
		return &r.report, err
	}
	type task struct {
		function *Function
		report   *NamespaceReport
	}
	var tasks []task
	for n, functions := range codes {
		for _, f := range functions {
			tasks = append(tasks, task{f, r.report.Namespaces[n]})
		}
	}
	err = r.each(ctx, stepCode, len(tasks), func(n int) { r.importCode(ctx, tasks[n].function, tasks[n].report) })
	r.report.sort()
	return &r.report, err
}

// each runs a step for all numbers, some of them concurrently.
func (r *Runner) each(ctx context.Context, step string, total int, run func(n int)) error {
	var group errgroup.Group
	group.SetLimit(r.config.Parallel)
	done := 0
	for n := range total {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			run(n)
			r.mu.Lock()
			done++
			now := done
			r.mu.Unlock()
			r.config.Progress(step, now, total)
			return nil
		})
	}
	return errors.Join(group.Wait(), ctx.Err())
}

// importNamespace imports everything but the code, and returns the functions whose code is
// not up to date.
func (r *Runner) importNamespace(ctx context.Context, n *Namespace, report *NamespaceReport) []*Function {
	if n.Err != nil {
		r.problem(Problem{Namespace: n.Name, Kind: "namespace", ID: n.ID, Name: n.Name, Text: n.Err.Error() + ": run the command again", Failed: true})
		return nil
	}
	keys := r.keysOf(ctx, n)
	request, problems := r.request(n, keys)
	for _, p := range problems {
		r.problem(p)
	}
	result, err := r.config.Target.Import(ctx, request)
	if err != nil {
		r.problem(Problem{Namespace: n.Name, Kind: "namespace", ID: n.ID, Name: n.Name, Text: err.Error(), Failed: true})
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	report.ProjectCreated = result.ProjectCreated
	report.Keys = result.Keys
	report.KeyFollows = result.Keys == 0 && r.config.DryRun && r.config.RequestKeys && len(n.Tokens) > 0
	var code []*Function
	for _, one := range result.Results {
		report.add(one)
		if report.KeyFollows && one.Kind == "token" && (one.Action == functions.ImportCreated || one.Action == functions.ImportUnchanged) {
			one.Reason = "" // It says that the namespace has no key.
		}
		if p, ok := problemOf(n.Name, one); ok {
			r.report.Problems = append(r.report.Problems, p)
		}
		if one.NeedsCode {
			i := slices.IndexFunc(n.Functions, func(f *Function) bool { return f.ID == one.ID })
			code = append(code, n.Functions[i])
		}
	}
	return code
}

func (r *Runner) importCode(ctx context.Context, f *Function, report *NamespaceReport) {
	fail := func(text string, failed bool) {
		r.problem(Problem{Namespace: report.Name, Kind: "code", ID: f.ID, Name: f.Name, Text: text, Failed: failed})
	}
	if r.config.DryRun {
		if err := r.config.Source.HasCode(ctx, f); err != nil {
			fail(err.Error(), !errors.Is(err, ErrNoCode))
			return
		}
		r.count(report, "code", functions.ImportCreated)
		return
	}
	code, err := r.config.Source.Code(ctx, f)
	if errors.Is(err, ErrNoCode) {
		fail(err.Error(), false)
		return
	}
	if err != nil {
		fail(err.Error()+": run the command again", true)
		return
	}
	defer discard(code)
	info, err := code.Stat()
	if err != nil {
		fail(err.Error(), true)
		return
	}
	if _, err := r.config.Target.ImportCode(ctx, f.ID, admin.ImportedArchive{ChangedAt: at(f.UpdatedAt), Content: code, Bytes: info.Size()}); err != nil {
		fail(err.Error(), true)
		return
	}
	r.count(report, "code", functions.ImportCreated)
}

func (r *Runner) count(report *NamespaceReport, kind string, action functions.ImportAction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	report.add(admin.ImportResult{Kind: kind, Action: action})
}

func (r *Runner) problem(p Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Problems = append(r.report.Problems, p)
}
