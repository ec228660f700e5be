package table

import (
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// The tables of all types of objects.
var (
	Projects = Table[iam.Project]{
		Name: "projects", Resource: "Project", Columns: []string{"organization_id", "name"},
		values:  func(p iam.Project) []any { return []any{p.OrganizationID, p.Name} },
		created: func(p iam.Project) time.Time { return p.CreatedAt },
		ids:     func(p iam.Project) []string { return []string{p.OrganizationID} },
	}
	APIKeys = Table[iam.APIKey]{
		Name: "api_keys", Resource: "API key", Columns: []string{"project_id"},
		values:  func(k iam.APIKey) []any { return []any{k.ProjectID} },
		created: func(k iam.APIKey) time.Time { return k.CreatedAt },
		ids:     func(k iam.APIKey) []string { return []string{k.ProjectID} },
	}
	Namespaces = Table[functions.Namespace]{
		Name: "namespaces", Resource: "Namespace", Columns: []string{"region", "project_id", "name"},
		values:  func(n functions.Namespace) []any { return []any{n.Region, n.ProjectID, n.Name} },
		created: func(n functions.Namespace) time.Time { return n.CreatedAt },
		ids:     func(n functions.Namespace) []string { return []string{n.ProjectID, n.OrganizationID} },
	}
	Functions = Table[functions.Function]{
		Name: "functions", Resource: "Function",
		Columns: []string{"region", "project_id", "organization_id", "namespace_id", "name"},
		values: func(f functions.Function) []any {
			return []any{f.Region, f.ProjectID, f.OrganizationID, f.NamespaceID, f.Name}
		},
		created: func(f functions.Function) time.Time { return f.CreatedAt },
		ids: func(f functions.Function) []string {
			ids := []string{f.ProjectID, f.OrganizationID, f.NamespaceID, f.Archive, f.Target}
			if f.Revision != nil {
				ids = append(ids, f.Revision.ID, f.Revision.Artifact, f.Revision.Archive)
			}
			return ids
		},
	}
	Tokens = Table[functions.Token]{
		Name: "tokens", Resource: "Token", Columns: []string{"region", "project_id", "namespace_id", "function_id"},
		values: func(t functions.Token) []any {
			return []any{t.Region, t.ProjectID, null(t.NamespaceID), null(t.FunctionID)}
		},
		created: func(t functions.Token) time.Time { return t.CreatedAt },
		ids:     func(t functions.Token) []string { return []string{t.ProjectID, t.NamespaceID, t.FunctionID} },
		Counted: true,
	}
	Crons = Table[functions.Cron]{
		Name: "crons", Resource: "Cron", Columns: []string{"region", "project_id", "function_id"},
		values:  func(c functions.Cron) []any { return []any{c.Region, c.ProjectID, c.FunctionID} },
		created: func(c functions.Cron) time.Time { return c.CreatedAt },
		ids:     func(c functions.Cron) []string { return []string{c.ProjectID, c.FunctionID} },
	}
	Triggers = Table[functions.Trigger]{
		Name: "triggers", Resource: "Trigger", Columns: []string{"region", "project_id", "namespace_id", "function_id"},
		values: func(t functions.Trigger) []any {
			return []any{t.Region, t.ProjectID, t.NamespaceID, t.FunctionID}
		},
		created: func(t functions.Trigger) time.Time { return t.CreatedAt },
		ids:     func(t functions.Trigger) []string { return []string{t.ProjectID, t.NamespaceID, t.FunctionID} },
	}
	Domains = Table[functions.Domain]{
		Name: "domains", Resource: "Domain", Columns: []string{"region", "project_id", "function_id", "hostname"},
		values:  func(d functions.Domain) []any { return []any{d.Region, d.ProjectID, d.FunctionID, d.Hostname} },
		created: func(d functions.Domain) time.Time { return d.CreatedAt },
		ids:     func(d functions.Domain) []string { return []string{d.ProjectID, d.FunctionID} },
	}
	Members = Table[store.Member]{
		Name: "members", Resource: "Member", Columns: []string{"node"},
		values:  func(m store.Member) []any { return []any{m.Node} },
		created: func(m store.Member) time.Time { return m.JoinedAt },
		ids:     func(m store.Member) []string { return []string{m.Node} },
	}
)
