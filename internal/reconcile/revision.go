package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/scale"
)

// describe is the revision that the function and its namespace ask for now. A
// function's variable wins over the namespace's of the same name.
func (r *Reconciler) describe(f functions.Function, n functions.Namespace, b built) functions.Revision {
	variables := maps.Clone(n.Variables)
	if variables == nil {
		variables = map[string]string{}
	}
	secrets := map[string][]byte{}
	for _, s := range n.Secrets {
		delete(variables, s.Key)
		secrets[s.Key] = s.Sealed
	}
	for name, value := range f.Variables {
		delete(secrets, name)
		variables[name] = value
	}
	for _, s := range f.Secrets {
		delete(variables, s.Key)
		secrets[s.Key] = s.Sealed
	}
	maps.Copy(variables, r.platformVariables(f, n))
	return functions.Revision{
		Runtime: f.Runtime, Handler: f.Handler, Archive: f.Target, Artifact: b.artifact, Launch: b.launch,
		MemoryLimit: f.MemoryLimit, CPULimit: f.CPULimit, Variables: variables, Secrets: secrets,
	}
}

// port is the one at which the real service's functions are said to listen. Here
// they are handed a socket; code that only reads the variable finds it.
const port = "8080"

// platformVariables are those that Scaleway's runtimes set, by which code can
// find itself and check a token for itself.
func (r *Reconciler) platformVariables(f functions.Function, n functions.Namespace) map[string]string {
	return map[string]string{
		"SCW_PUBLIC":             strconv.FormatBool(f.Privacy == functions.Public),
		"SCW_PUBLIC_KEY":         n.PublicKey,
		"SCW_NAMESPACE_ID":       n.ID,
		"SCW_APPLICATION_ID":     f.ID,
		"SCW_APPLICATION_NAME":   f.Name,
		"SCW_APPLICATION_MEMORY": strconv.Itoa(f.MemoryLimit),
		"SCW_PAYLOAD_MAX_SIZE":   strconv.FormatInt(r.Limits.PayloadSize, 10),
	}
}

// sameContent tells whether two revisions differ in nothing but their ID.
func sameContent(a, b functions.Revision) bool {
	a.ID, b.ID = "", ""
	return reflect.DeepEqual(a, b)
}

// launch makes a revision known to the engine and opens it for calls.
func (r *Reconciler) launch(ctx context.Context, f functions.Function, revision functions.Revision) error {
	spec, err := r.engineRevision(ctx, f, revision)
	if err != nil {
		return fmt.Errorf("revision %s: %w", revision.ID, err)
	}
	if err := r.Engine.Apply(ctx, spec); err != nil {
		return fmt.Errorf("apply revision %s: %w", revision.ID, err)
	}
	r.live.hold(f.ID, revision.ID, revision.Artifact)
	r.Instances.Set(revision.ID, scale.Limits{
		Min: f.MinScale, Max: f.MaxScale, Memory: int64(revision.MemoryLimit) << 20, Project: f.ProjectID,
	})
	return nil
}

// engineRevision is the revision with its secrets opened, which live in memory
// only.
func (r *Reconciler) engineRevision(ctx context.Context, f functions.Function, revision functions.Revision) (engine.Revision, error) {
	var launch runtime.Launch
	if err := json.Unmarshal(revision.Launch, &launch); err != nil {
		return engine.Revision{}, fmt.Errorf("read how it is launched: %w", err)
	}
	dir, _, err := r.Artifacts.Local(ctx, blob.Ref{FunctionID: f.ID, Name: revision.Artifact})
	if err != nil {
		return engine.Revision{}, err
	}
	home := r.Engine.Home(dir)
	command, env, err := launch.Resolve(home, r.Toolchains)
	if err != nil {
		return engine.Revision{}, err
	}
	info, _ := runtime.Lookup(revision.Runtime)
	handler, err := runtime.ParseHandler(info.Language, revision.Handler)
	if err != nil {
		return engine.Revision{}, err
	}
	// The last of two variables of one name counts: this one may be the function's.
	env = append(env, "PORT="+port)
	for _, name := range slices.Sorted(maps.Keys(revision.Variables)) {
		env = append(env, name+"="+revision.Variables[name])
	}
	env = append(env, "SCW_APPLICATION_VERSION="+revision.ID)
	env = append(env, launch.Variables(handler, home, command)...)
	var secrets []string
	for _, name := range slices.Sorted(maps.Keys(revision.Secrets)) {
		value, err := r.Sealer.Open(revision.Secrets[name], functions.VariablePurpose(name))
		if err != nil {
			return engine.Revision{}, fmt.Errorf("secret variable %s: %w", name, err)
		}
		env = append(env, name+"="+string(value))
		secrets = append(secrets, string(value))
	}
	return engine.Revision{
		ID: revision.ID, FunctionID: f.ID, ProjectID: f.ProjectID, Language: info.Language, Command: command, Work: r.workFor(launch, home, env), Dir: dir, Env: env, Secrets: secrets,
		MemoryLimit: revision.MemoryLimit, CPULimit: revision.CPULimit,
	}, nil
}

// workFor is what a worker of the launch's language is told; nil if none can serve it.
func (r *Reconciler) workFor(l runtime.Launch, home string, env []string) *engine.Work {
	worker, ok := r.Workers[l.Interpreter]
	if !ok {
		return nil
	}
	a, ok := worker.Assign(l, home, env)
	if !ok {
		return nil
	}
	return &engine.Work{Arguments: a.Arguments}
}

// Restore makes the revisions that served when the server stopped known to the
// engine again. One that cannot be launched is deployed anew, and does not keep
// the others from serving.
func (r *Reconciler) Restore(ctx context.Context) error {
	var all []functions.Function
	err := r.Store.View(ctx, func(tx functions.Tx) (err error) {
		all, _, err = tx.Functions(functions.Filter{}, functions.Page{})
		return err
	})
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	for _, f := range all {
		if f.Revision == nil || f.Status == functions.Deleting {
			continue
		}
		err := r.restore(ctx, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.Log.Error("a function cannot serve calls, and is deployed anew", "function_id", f.ID, "error", err)
			err = r.redeploy(ctx, f)
		}
		if err := errors.Join(err, r.prune(f.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) restore(ctx context.Context, f functions.Function) error {
	return r.launch(ctx, f, *f.Revision)
}

// redeploy has the code that serves built again.
func (r *Reconciler) redeploy(ctx context.Context, f functions.Function) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		f, err := tx.Function(f.ID)
		if err != nil || f.Status.Transient() {
			return err
		}
		f.Target, f.Rebuild = f.Revision.Archive, true
		f.StartDeployment(r.Now())
		return tx.Put(f)
	})
}
