package leave

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
)

// Kinds that an import can leave out.
const (
	Crons    = "crons"
	Triggers = "triggers"
	Domains  = "domains"
	Tokens   = "tokens"
)

// request returns the import of a namespace, and the problems that were found before it.
func (r *Runner) request(n *Namespace, keys []string) (admin.ImportRequest, []Problem) {
	request := admin.ImportRequest{
		DryRun: r.config.DryRun, ProjectName: r.projectName(n.ProjectID), Values: map[string]map[string]string{},
		Import: functions.Import{Issuer: r.config.Source.Issuer, Namespace: namespaceOf(n, keys)},
	}
	var problems []Problem
	note := func(kind, id, name string, c checkedSecrets) {
		request.Values[id] = c.values
		for _, text := range c.problems {
			problems = append(problems, Problem{Namespace: n.Name, Kind: kind, ID: id, Name: name, Text: text, Failed: true})
		}
	}
	secrets := r.checkSecrets(n.SecretEnvironmentVariables, n.ID)
	note("namespace", n.ID, n.Name, secrets)
	request.Import.Namespace.Secrets = secrets.imported
	for _, f := range n.Functions {
		imported := functionOf(f)
		secrets := r.checkSecrets(f.SecretEnvironmentVariables, f.ID)
		note("function", f.ID, f.Name, secrets)
		imported.Secrets = secrets.imported
		request.Import.Functions = append(request.Import.Functions, imported)
		r.attached(&request.Import, f)
	}
	request.Import.SkipTokens = r.skips(Tokens)
	if !request.Import.SkipTokens {
		for _, t := range n.Tokens {
			request.Import.Tokens = append(request.Import.Tokens, tokenOf(t))
		}
	}
	if !r.skips(Triggers) {
		for _, t := range n.Triggers {
			request.Import.Triggers = append(request.Import.Triggers, triggerOf(t))
		}
	}
	return request, problems
}

// attached adds the crons and hostnames of a function. The function's own hostname at the
// source becomes an alias.
func (r *Runner) attached(to *functions.Import, f *Function) {
	if !r.skips(Crons) {
		for _, c := range f.Crons {
			to.Crons = append(to.Crons, cronOf(c))
		}
	}
	if r.skips(Domains) {
		return
	}
	for _, d := range f.Domains {
		to.Domains = append(to.Domains, functions.ImportedDomain{
			ID: d.ID, FunctionID: f.ID, Hostname: d.Hostname, Ready: d.Status == function.DomainStatusReady,
		})
	}
	if f.DomainName != "" {
		to.Domains = append(to.Domains, functions.ImportedDomain{FunctionID: f.ID, Hostname: f.DomainName, Ready: true})
	}
}

func (r *Runner) projectName(id string) string {
	return cmp.Or(r.account.Projects[id], "imported "+id[:min(8, len(id))])
}

func namespaceOf(n *Namespace, keys []string) functions.ImportedNamespace {
	imported := functions.ImportedNamespace{Keys: keys, Namespace: functions.Namespace{
		ID: n.ID, Region: functions.Region(n.Region), ProjectID: n.ProjectID, OrganizationID: n.OrganizationID, Name: n.Name, Slug: slugOf(n),
		Description: text(n.Description), Tags: n.Tags, Variables: n.EnvironmentVariables,
		RegistryID: n.RegistryNamespaceID, RegistryEndpoint: n.RegistryEndpoint, CreatedAt: at(n.CreatedAt),
	}}
	return imported
}

var registrySlug = regexp.MustCompile(`/funcscw([a-z0-9]{1,28})$`)

// slugOf returns the common prefix of the domain names of a namespace's functions. The
// endpoint of its registry contains it; the names of functions begin with it.
func slugOf(n *Namespace) string {
	if found := registrySlug.FindStringSubmatch(n.RegistryEndpoint); found != nil {
		return found[1]
	}
	for _, f := range n.Functions {
		label, _, _ := strings.Cut(f.DomainName, ".")
		if slug, ok := strings.CutSuffix(label, "-"+f.Name); ok {
			return slug
		}
	}
	// Without a registry and functions, nothing refers to the prefix.
	return strings.ReplaceAll(n.ID, "-", "")[:28]
}

func functionOf(f *Function) functions.ImportedFunction {
	return functions.ImportedFunction{Function: functions.Function{
		ID: f.ID, Name: f.Name, Description: text(f.Description), Tags: f.Tags, Variables: f.EnvironmentVariables,
		MinScale: int(f.MinScale), MaxScale: int(f.MaxScale), Runtime: string(f.Runtime), Handler: f.Handler, MemoryLimit: int(f.MemoryLimit),
		Timeout: timeoutOf(f), Privacy: functions.Privacy(f.Privacy), HTTPOption: functions.HTTPOption(f.HTTPOption), Sandbox: string(f.Sandbox),
		PrivateNetworkID: text(f.PrivateNetworkID), CreatedAt: at(f.CreatedAt), UpdatedAt: at(f.UpdatedAt),
	}}
}

// timeoutOf returns the timeout of a function. The default is that of Scaleway.
func timeoutOf(f *Function) time.Duration {
	if f.Timeout == nil {
		return 5 * time.Minute
	}
	return *f.Timeout.ToTimeDuration()
}

func tokenOf(t *function.Token) functions.ImportedToken {
	imported := functions.ImportedToken{ID: t.ID, NamespaceID: text(t.NamespaceID), FunctionID: text(t.FunctionID), Description: text(t.Description)}
	if t.ExpiresAt != nil {
		imported.ExpiresAt = t.ExpiresAt.UTC()
	}
	return imported
}

func cronOf(c *function.Cron) functions.Cron {
	imported := functions.Cron{ID: c.ID, FunctionID: c.FunctionID, Name: c.Name, Schedule: c.Schedule}
	if c.Args != nil {
		// The arguments were decoded from JSON.
		imported.Args, _ = json.Marshal(c.Args)
	}
	return imported
}

func triggerOf(t *function.Trigger) functions.Trigger {
	imported := functions.Trigger{ID: t.ID, FunctionID: t.FunctionID, Name: t.Name, Description: t.Description}
	switch {
	case t.ScwSqsConfig != nil:
		imported.SQS = &functions.SQSQueue{Queue: t.ScwSqsConfig.Queue, ProjectID: t.ScwSqsConfig.MnqProjectID, Region: t.ScwSqsConfig.MnqRegion}
	case t.ScwNatsConfig != nil:
		imported.NATS = &functions.NATSSubject{
			Subject: t.ScwNatsConfig.Subject, AccountID: t.ScwNatsConfig.MnqNatsAccountID,
			ProjectID: t.ScwNatsConfig.MnqProjectID, Region: t.ScwNatsConfig.MnqRegion,
		}
	}
	return imported
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

func at(value *time.Time) time.Time {
	if value == nil {
		return time.Time{}
	}
	return value.UTC()
}
