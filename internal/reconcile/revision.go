package reconcile

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
)

// describe returns the revision, without an ID, for the current state of a function and
// its namespace. A variable of the function overrides the namespace's.
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

// port is the value of the variable PORT at the real service. Instances listen on an
// inherited socket, but some code requires the variable.
const port = "8080"

// platformVariables returns the variables that Scaleway's runtimes set. They identify
// the function, and let code verify tokens.
func (r *Reconciler) platformVariables(f functions.Function, n functions.Namespace) map[string]string {
	return map[string]string{
		"SCW_PUBLIC":             strconv.FormatBool(f.Privacy == functions.Public),
		"SCW_PUBLIC_KEY":         n.PublicKey,
		"SCW_NAMESPACE_ID":       n.ID,
		"SCW_APPLICATION_ID":     f.ID,
		"SCW_APPLICATION_NAME":   f.Name,
		"SCW_APPLICATION_MEMORY": strconv.Itoa(f.MemoryLimit),
		"SCW_PAYLOAD_MAX_SIZE":   strconv.FormatInt(r.config.Limits.PayloadSize, 10),
	}
}

// sameContent reports whether two revisions are equal except for their IDs.
func sameContent(a, b functions.Revision) bool {
	a.ID, b.ID = "", ""
	return reflect.DeepEqual(a, b)
}

// engineRevision returns the revision for the engine. It has the secret variables in
// clear, which are kept in memory only.
func (r *Reconciler) engineRevision(f functions.Function, revision functions.Revision) (engine.Revision, error) {
	// The last value of a variable wins, so that the function can override this one.
	env := []string{"PORT=" + port}
	for _, name := range slices.Sorted(maps.Keys(revision.Variables)) {
		env = append(env, name+"="+revision.Variables[name])
	}
	env = append(env, "SCW_APPLICATION_VERSION="+revision.ID)
	var secrets []string
	for _, name := range slices.Sorted(maps.Keys(revision.Secrets)) {
		value, err := r.config.Sealer.Open(revision.Secrets[name], functions.VariablePurpose(name))
		if err != nil {
			return engine.Revision{}, fmt.Errorf("secret variable %s: %w", name, err)
		}
		env = append(env, name+"="+string(value))
		secrets = append(secrets, string(value))
	}
	return engine.Revision{
		ID: revision.ID, FunctionID: f.ID, ProjectID: f.ProjectID,
		Artifact: revision.Artifact, Launch: revision.Launch, Runtime: revision.Runtime, Handler: revision.Handler,
		Env: env, Secrets: secrets, MemoryLimit: revision.MemoryLimit, CPULimit: revision.CPULimit,
	}, nil
}
