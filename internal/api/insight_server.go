package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// ServerState is the state of one node.
type ServerState struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	// Database and Blobs name the kinds of storage.
	Database       string           `json:"database"`
	Blobs          string           `json:"blobs"`
	Isolation      string           `json:"isolation"`
	Egress         bool             `json:"egress"`
	MemoryBudget   int64            `json:"memory_budget_bytes"`
	Domain         string           `json:"function_domain"`
	APIAddress     string           `json:"api_address"`
	GatewayAddress string           `json:"gateway_address"`
	Toolchains     []ToolchainState `json:"toolchains"`
	WarmPool       []WarmPoolState  `json:"warm_pool"`
	WarmMemory     int64            `json:"warm_pool_memory_bytes"`
	// Certificates are at most 200, those that expire first; CertificateCount is the number
	// of all.
	Certificates     []CertificateState `json:"certificates"`
	CertificateCount int                `json:"certificate_count"`
	Changes          int64              `json:"changes"`
	Behind           int64              `json:"changes_behind"`
	Streams          int                `json:"streams"`
}

// ClusterState is the state of the node that answers, and of all nodes, by name.
type ClusterState struct {
	ServerState

	Nodes []NodeState `json:"nodes"`
}

// NodeState is one node of the server. Problem is why its state is not known.
type NodeState struct {
	Name     string       `json:"node_name"`
	Self     bool         `json:"self"`
	Version  string       `json:"version"`
	Draining bool         `json:"draining"`
	Cordoned bool         `json:"cordoned"`
	Problem  string       `json:"node_problem"`
	State    *ServerState `json:"node_state"`
}

// ToolchainState is the toolchain of one language. Problem is why there is none.
type ToolchainState struct {
	Language  string `json:"language"`
	Toolchain string `json:"toolchain"`
	Problem   string `json:"problem"`
}

// WarmPoolState is the number of warm sandboxes of one kind.
type WarmPoolState struct {
	Kind  string `json:"pool_kind"`
	Count int    `json:"count"`
}

// CertificateState is one certificate of the gateway.
type CertificateState struct {
	Source   string    `json:"source"`
	Names    []string  `json:"hostnames"`
	NotAfter time.Time `json:"not_after"`
}

func (a *API) getState(r *http.Request, _ functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	return in.State(r.Context()), nil
}

type keyRow struct {
	AccessKey        string   `json:"access_key"`
	Description      string   `json:"description"`
	Permissions      []string `json:"permissions"`
	Organization     bool     `json:"organization"`
	DefaultProjectID string   `json:"default_project_id"`
	FurtherProjects  []string `json:"further_project_ids"`
	CreatedAt        stamp    `json:"created_at"`
	ExpiresAt        expiry   `json:"expires_at"`
	LastUsedAt       expiry   `json:"last_used_at"`
}

type keyRows struct {
	Keys []keyRow `json:"api_keys"`
}

// listAPIKeys returns the API keys of the caller's organization, without their secret keys.
func (a *API) listAPIKeys(r *http.Request, _ functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	all, err := in.Usage.Keys(r.Context())
	if err != nil {
		return nil, err
	}
	rows := []keyRow{}
	for _, k := range all {
		if k.OrganizationID != infoOf(r).key.OrganizationID {
			continue
		}
		rows = append(rows, keyRow{
			AccessKey: k.AccessKey, Description: k.Description, Permissions: listOrEmpty(k.Permissions), Organization: k.Organization,
			DefaultProjectID: k.ProjectID, FurtherProjects: listOrEmpty(k.Projects), CreatedAt: stamp{k.CreatedAt, false},
			ExpiresAt: expiry(k.ExpiresAt), LastUsedAt: expiry(k.LastUsedAt),
		})
	}
	return keyRows{rows}, nil
}

// An AuditQuery selects entries of the audit log. Empty fields match every entry.
type AuditQuery struct {
	// AccessKey, Object and From are exact; Endpoint is a part of the endpoint.
	AccessKey, Object, From, Endpoint string
	// Refused selects the entries of refused requests.
	Refused bool
	Since   time.Time
	// Skip is the number of newer entries to skip, and Size the maximum number of
	// entries.
	Skip, Size int
}

// An AuditEntry is one request.
type AuditEntry struct {
	At        time.Time `json:"at"`
	Node      string    `json:"node"`
	RequestID string    `json:"request_id"`
	AccessKey string    `json:"access_key"`
	From      string    `json:"from"`
	Endpoint  string    `json:"audit_endpoint"`
	Region    string    `json:"region"`
	Object    string    `json:"object"`
	Name      string    `json:"name"`
	Status    int       `json:"status_code"`
}

type auditRows struct {
	Entries []AuditEntry `json:"entries"`
	More    bool         `json:"more"`
}

// auditPeriod is the period of the audit log that is read by default.
const auditPeriod = 7 * 24 * time.Hour

// listAudit returns a page of the audit log, newest first.
func (a *API) listAudit(r *http.Request, _ functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	if page, err = page.Checked(); err != nil {
		return nil, err
	}
	logs, err := a.parseLogsQuery(map[string][]string{"since": {r.URL.Query().Get("since")}})
	if err != nil {
		return nil, err
	}
	if logs.since.IsZero() {
		logs.since = a.config.Now().Add(-auditPeriod)
	}
	query := r.URL.Query()
	found, more, err := in.Audit.Entries(r.Context(), AuditQuery{
		AccessKey: query.Get("access_key"), Object: query.Get("object"), From: query.Get("from"), Endpoint: query.Get("audit_endpoint"),
		Refused: query.Get("refused") == "true", Since: logs.since, Skip: page.Offset(), Size: page.Size,
	})
	return auditRows{listOrEmpty(found), more}, err
}
