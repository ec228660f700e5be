package api

import (
	"context"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/live"
)

// insightBase is the path prefix of the routes that the console uses beside Scaleway's
// API. Clients may use them, too.
const insightBase = "/jeton/v1"

// regional is the prefix of those routes that belong to a region.
const regional = insightBase + "/regions/{region}"

// Insight is what these routes read besides the objects. All fields are required.
type Insight struct {
	View    *live.View
	Metrics MetricsHistory
	Builds  Builds
	Audit   AuditLog
	Usage   Usage
	// State returns the state of the server and of all its nodes.
	State func(ctx context.Context) ClusterState
	// Refused returns the calls with a revoked token that all nodes have refused, and the
	// time of the last one.
	Refused func(ctx context.Context, tokenID string) (calls int64, last time.Time)
	// Calls is the gateway. It handles the calls that the console sends.
	Calls http.Handler
	// Version is the version of the server.
	Version string
	// HTTPPort and HTTPSPort are the ports of the gateway in the URLs of functions; 0
	// for none.
	HTTPPort, HTTPSPort int
}

// MetricsHistory has the calls of the last hour and day at all nodes.
type MetricsHistory interface {
	// Of returns the history of one function.
	Of(ctx context.Context, functionID string, day bool) MetricsSeries
	// Sum returns the sum of the history of the functions in a scope and, unless it is
	// empty, in a namespace.
	Sum(ctx context.Context, day bool, scope functions.Scope, namespaceID string) MetricsSeries
	// Activity returns the sums of the last hour by function ID.
	Activity(ctx context.Context, functionIDs []string) map[string]Activity
}

// An Activity is the sum of one hour. Instances is the present number.
type Activity struct{ Calls, Errors, ColdStarts, Instances int64 }

// A MetricsSeries is a period of the history. The i-th values belong to the time start +
// i*step.
type MetricsSeries struct {
	Start      time.Time `json:"start"`
	Step       int       `json:"step_seconds"`
	Calls      []int64   `json:"calls"`
	Errors     []int64   `json:"errors"`
	ColdStarts []int64   `json:"cold_starts"`
	P50        []float64 `json:"p50_seconds"`
	P99        []float64 `json:"p99_seconds"`
	Instances  []int64   `json:"instances"`
	Memory     []int64   `json:"memory_bytes"`
	// MissingNodes are the nodes that have not answered.
	MissingNodes []string `json:"missing_nodes"`
}

// Builds has the logs of builds.
type Builds interface {
	// Finished returns the log of the latest build that has ended, empty if there is none.
	Finished(ctx context.Context, functionID string) (string, error)
	// Running returns the log of the build that runs now, and whether there is one.
	Running(ctx context.Context, functionID string) (text string, ok bool)
}

// AuditLog has the audit log.
type AuditLog interface {
	// Entries returns one page of the entries that match, newest first, and whether there
	// are older ones.
	Entries(ctx context.Context, q AuditQuery) (found []AuditEntry, more bool, err error)
}

// Usage has the last use of tokens and API keys, and the list of API keys.
type Usage interface {
	// Tokens returns the last use by token ID. A token without a use is missing.
	Tokens(ctx context.Context, ids []string) (map[string]time.Time, error)
	// Keys returns all API keys, oldest first, with their last use.
	Keys(ctx context.Context) ([]UsedKey, error)
}

// A UsedKey is an API key with its last use, the zero time without a use.
type UsedKey struct {
	iam.APIKey

	LastUsedAt time.Time
}

// insightEndpoints returns the endpoints of these routes, by pattern.
func (a *API) insightEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET " + insightBase + "/session":  a.getSession,
		"GET " + insightBase + "/api-keys": a.listAPIKeys,
		"GET " + insightBase + "/audit":    a.listAudit,
		"GET " + insightBase + "/state":    a.getState,

		"GET " + regional + "/functions":                  a.searchFunctions,
		"GET " + regional + "/functions/{id}/deployments": a.listDeployments,
		"GET " + regional + "/functions/{id}/log":         a.followLog,
		"GET " + regional + "/functions/{id}/build":       a.followBuild,
		"POST " + regional + "/functions/{id}/call":       a.callFunction,
		"GET " + regional + "/metrics":                    a.getMetrics,
		"GET " + regional + "/events":                     a.followEvents,
		"GET " + regional + "/tokens":                     a.searchTokens,
		"GET " + regional + "/tokens/{id}/revocation":     a.getRevocation,
	}
}

// insightPermissions are the permissions of the routes whose method does not decide it.
// The state of the server and its audit log concern all projects.
var insightPermissions = map[string]permission{
	"GET " + insightBase + "/api-keys":          {action: iam.Read, resource: "jeton_api_key", organization: true},
	"GET " + insightBase + "/audit":             {action: iam.Read, resource: "jeton_audit", organization: true},
	"GET " + insightBase + "/state":             {action: iam.Read, resource: "jeton_server", organization: true},
	"POST " + regional + "/functions/{id}/call": {action: iam.Call, resource: "jeton_function"},
}

var errNoInsight = &functions.Error{Code: functions.Unavailable, Message: "this server has no console"}

// insight returns the sources of these routes, or errNoInsight.
func (a *API) insight() (*Insight, error) {
	if a.config.Insight == nil {
		return nil, errNoInsight
	}
	return a.config.Insight, nil
}

// insightFunction returns the sources and the function with the ID in the path.
func (a *API) insightFunction(r *http.Request, scope functions.Scope) (*Insight, functions.Function, error) {
	in, err := a.insight()
	if err != nil {
		return nil, functions.Function{}, err
	}
	f, err := a.functionInPath(r, scope)
	return in, f, err
}

type sessionKey struct{}

// AsKey returns a request that the API handles as if it had the secret key of the API key
// with an access key. The caller has authenticated the request. The API still refuses the
// request if the key was revoked or has expired.
func AsKey(r *http.Request, accessKey string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, accessKey))
}

// keyOf returns the API key of a request.
func (a *API) keyOf(r *http.Request, now time.Time) (iam.APIKey, error) {
	if accessKey, ok := r.Context().Value(sessionKey{}).(string); ok {
		return a.config.Keys.Recheck(accessKey, now)
	}
	return a.config.Keys.Authenticate(r.Header.Get("X-Auth-Token"), now)
}

// isSession reports whether AsKey has authenticated a request.
func isSession(r *http.Request) bool { return r.Context().Value(sessionKey{}) != nil }

type sessionResponse struct {
	AccessKey        string   `json:"access_key"`
	Description      string   `json:"description"`
	Permissions      []string `json:"permissions"`
	Actions          []string `json:"actions"`
	Organization     bool     `json:"organization"`
	OrganizationID   string   `json:"organization_id"`
	DefaultProjectID string   `json:"default_project_id"`
	ExpiresAt        expiry   `json:"expires_at"`
	Version          string   `json:"version"`
	HTTPPort         int      `json:"http_port"`
	HTTPSPort        int      `json:"https_port"`
}

// getSession returns the API key of the caller and what the console needs to know of the
// server.
func (a *API) getSession(r *http.Request, _ functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	key := infoOf(r).key
	actions := []string{}
	for _, action := range []iam.Action{iam.Read, iam.Write, iam.Call} {
		if key.May(action) {
			actions = append(actions, string(action))
		}
	}
	return sessionResponse{
		AccessKey: key.AccessKey, Description: key.Description, Permissions: listOrEmpty(key.Permissions), Actions: actions,
		Organization: key.Organization, OrganizationID: key.OrganizationID, DefaultProjectID: key.ProjectID,
		ExpiresAt: expiry(key.ExpiresAt), Version: in.Version, HTTPPort: in.HTTPPort, HTTPSPort: in.HTTPSPort,
	}, nil
}
