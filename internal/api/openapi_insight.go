package api

import (
	"maps"
	"net/http"

	"github.com/jeton-dev/jeton/internal/openapi"
)

// eventType is the media type of server-sent events.
const eventType = "text/event-stream"

// insightOperations describes the routes of the console.
var insightOperations = []openapi.Operation{
	{Pattern: "GET " + insightBase + "/session", ID: "GetSession", Tag: "console", Summary: "Get the API key of the caller, its permissions, and the ports of functions.", Response: sessionResponse{}},
	{Pattern: "GET " + regional + "/functions", ID: "SearchFunctions", Tag: "console", Summary: "List the functions of all namespaces that the API key covers, with the sums of their last hour.", Response: functionRows{}, Query: []string{"page", "page_size", "order_by", "search", "namespace_id", "status"}},
	{Pattern: "GET " + regional + "/functions/{id}/deployments", ID: "ListDeployments", Tag: "console", Summary: "List the versions of a function's code, and its latest deployments since the start of the server.", Response: deploymentsResponse{}, Errors: missingError},
	{Pattern: "GET " + regional + "/functions/{id}/log", ID: "FollowLog", Tag: "console", Summary: "Stream the log of a function as server-sent events: lines with lines and skipped (the number of omitted lines before them), end when the API key no longer permits it.", ResponseType: eventType, Errors: missingError},
	{Pattern: "GET " + regional + "/functions/{id}/build", ID: "FollowBuild", Tag: "console", Summary: "Stream the log of the latest build and of later ones as server-sent events: build with text, replace (the text replaces the previous one) and running.", ResponseType: eventType, Errors: missingError},
	{Pattern: "POST " + regional + "/functions/{id}/call", ID: "CallFunction", Tag: "console", Summary: "Call a function through the gateway. For a private function, the server creates a token of one minute and deletes it after the call. Requires the permission to call.", Request: callRequest{}, Response: callResponse{}, Errors: missingError},
	{Pattern: "GET " + regional + "/metrics", ID: "GetMetrics", Tag: "console", Summary: "Get the calls, errors, cold starts, durations, instances and memory of the last hour or day: of a function, a namespace, or all functions that the API key covers.", Response: MetricsSeries{}, Query: []string{"function_id", "namespace_id", "range"}, Errors: missingError},
	{Pattern: "GET " + regional + "/events", ID: "FollowEvents", Tag: "console", Summary: "Stream changes as server-sent events: changes with a list of kind, id, deleted, project_id, namespace_id, function_id, name, status and state_message; sample after each new sample of the metrics; reset when events were lost; end when the API key no longer permits it.", ResponseType: eventType},
	{Pattern: "GET " + regional + "/tokens", ID: "SearchTokens", Tag: "console", Summary: "List the tokens of all namespaces and functions that the API key covers, newest first, with their last use.", Response: tokenRows{}, Query: []string{"page", "page_size", "search", "namespace_id", "function_id", "expiring"}},
	{Pattern: "GET " + regional + "/tokens/{id}/revocation", ID: "GetRevocation", Tag: "console", Summary: "Get what the revocation of a token did. The server keeps the latest 10000 since its start.", Response: revocationResponse{}, Errors: []int{http.StatusNotFound}},
	{Pattern: "GET " + insightBase + "/api-keys", ID: "ListAPIKeys", Tag: "console", Summary: "List the API keys of the organization without their secret keys. Requires an API key of the whole organization.", Response: keyRows{}},
	{Pattern: "GET " + insightBase + "/audit", ID: "ListAudit", Tag: "console", Summary: "List the audit log, newest first. Requires an API key of the whole organization.", Response: auditRows{}, Query: []string{"page", "page_size", "since", "access_key", "object", "from", "audit_endpoint", "refused"}},
	{Pattern: "GET " + insightBase + "/state", ID: "GetServerState", Tag: "console", Summary: "Get the state of this server. Requires an API key of the whole organization.", Response: ClusterState{}},
}

var insightParameters = map[string]openapi.Schema{
	"search": {Type: "string"}, "status": {Type: "string"}, "range": {Type: "string", Enum: []any{"hour", "day"}, Default: "hour"},
	"expiring": {Type: "boolean", Default: false}, "refused": {Type: "boolean", Default: false},
	"object": {Type: "string"}, "from": {Type: "string"}, "audit_endpoint": {Type: "string"},
}

var insightDescriptions = map[string]string{
	"permissions":             "The permission sets of the key.",
	"actions":                 "What the key may do: read, write, call.",
	"organization":            "Whether the key covers all projects of its organization.",
	"http_port":               "The port of functions; 0 for none.",
	"https_port":              "The port of functions with TLS; 0 for none.",
	"Session.version":         "The version of the server.",
	"ServerState.version":     "The version of the server.",
	"namespace_name":          "The name of the namespace.",
	"function_name":           "The name of the function; empty for a token of a namespace.",
	"namespace_count":         "The number of namespaces that the key covers.",
	"status_counts":           "The number of functions by status.",
	"state_message":           "The error message or the progress, at most 400 bytes.",
	"FunctionRow.calls":       "The number of calls in the last hour.",
	"FunctionRow.errors":      "The number of calls with a status of 500 or more in the last hour.",
	"FunctionRow.cold_starts": "The number of cold starts in the last hour.",
	"FunctionRow.instances":   "The number of instances.",
	"parameter.status":        "Return functions with this status.",
	"parameter.search":        "Functions: a part of the name, namespace, runtime or hostname. Tokens: a part of the description, or an ID.",
	"range":                   "hour, in steps of 15 seconds, or day, in steps of 10 minutes.",

	"generation":       "The number of the deployment.",
	"code_sha256":      "The SHA-256 of the code archive.",
	"uploaded_sha256":  "The SHA-256 of the code that was uploaded last; empty if there is none.",
	"started_at":       "The time of the start.",
	"duration_seconds": "The duration in seconds.",
	"deployments":      "The latest deployments, newest first.",
	"serving":          "The revision that serves calls; null before the first deployment.",

	"start":         "The time of the first value.",
	"step_seconds":  "The time between two values, in seconds.",
	"calls":         "The number of calls in each step.",
	"errors":        "The number of calls with a status of 500 or more in each step.",
	"cold_starts":   "The number of cold starts in each step.",
	"p50_seconds":   "The median duration of calls in seconds; 0 without calls and for several functions.",
	"p99_seconds":   "The 99th percentile of the durations of calls in seconds; 0 without calls and for several functions.",
	"instances":     "The maximum number of instances in each step.",
	"memory_bytes":  "The maximum memory of all instances in each step, in bytes.",
	"missing_nodes": "The nodes that have not answered, whose values are missing.",

	"call_method":       "The method. The default is GET.",
	"path":              "The path with an optional query. The default is /.",
	"call_headers":      "The headers.",
	"Header.name":       "The name of the header.",
	"Header.value":      "The value of the header.",
	"body":              "The body.",
	"status_code":       "The HTTP status.",
	"body_is_base64":    "Whether the body is encoded, because it is not text.",
	"body_bytes":        "The size of the whole body in bytes.",
	"body_is_truncated": "Whether only the first MiB of the body is returned.",
	"call_request_id":   "The ID of the call, which is in the log of the function.",
	"token_id":          "The ID of the token; empty for a public function.",

	"last_used_at":          "The time of the last use, with a precision of one minute; null without a use.",
	"issuer":                "The API host of the service that issued an imported token; empty for a token of this server.",
	"adopted_at":            "The time of the first use of an imported token here; null before, and for a token of this server.",
	"more":                  "Whether there are more objects on the next page.",
	"expiring":              "Return the tokens that expire within 14 days.",
	"TokenRows.total_count": "The number of tokens; -1 for a search.",
	"revoked_at":            "The time from which this server denied the token.",
	"revocation_seconds":    "The time between the commit of the deletion and the denial.",
	"refused_calls":         "The number of calls that were refused because of the revocation.",
	"last_refused_at":       "The time of the last refused call; null if there is none.",

	"api_keys":                 "The API keys, oldest first.",
	"further_project_ids":      "The IDs of further projects that the key covers.",
	"entries":                  "The entries.",
	"AuditEntry.at":            "The time.",
	"AuditEntry.node":          "The node that received the request; empty for the only server of a database.",
	"AuditEntry.request_id":    "The ID of the request.",
	"AuditEntry.access_key":    "The access key of the caller; empty without an API key.",
	"AuditEntry.from":          "The address of the client, or owner for the admin socket.",
	"from":                     "Return the entries of this address.",
	"audit_endpoint":           "The method and the pattern of the path.",
	"parameter.audit_endpoint": "Return the entries whose endpoint contains this text.",
	"AuditEntry.object":        "The ID of the affected object.",
	"object":                   "Return the entries with this object.",
	"parameter.access_key":     "Return the entries of this API key; in a path, the access key of the caller.",
	"refused":                  "Return only the entries of refused requests.",

	"database":               "SQLite or PostgreSQL.",
	"blobs":                  "The storage of code: folders or S3.",
	"isolation":              "The verified isolation level of instances.",
	"egress":                 "Whether functions may open outbound connections.",
	"memory_budget_bytes":    "The memory budget of all instances in bytes; 0 for no limit.",
	"function_domain":        "The parent domain of functions.",
	"api_address":            "The address of the API.",
	"gateway_address":        "The address of the gateway.",
	"toolchains":             "The toolchains of the languages.",
	"toolchain":              "The name and version of the toolchain; empty if there is none.",
	"problem":                "Why there is no toolchain, and what to do.",
	"nodes":                  "All nodes by name. The other fields describe the node that answers.",
	"node_name":              "The name of the node.",
	"self":                   "Whether the node has answered the request itself.",
	"draining":               "Whether the node is about to leave.",
	"cordoned":               "Whether an operator has excluded the node from being the home of functions.",
	"node_problem":           "Why the state of the node is not known; empty if it is.",
	"node_state":             "The state of the node, without nodes; null if it is not known.",
	"warm_pool":              "The warm sandboxes by kind.",
	"pool_kind":              "The kind: empty, or the language of a warm worker.",
	"count":                  "The number.",
	"warm_pool_memory_bytes": "The memory of the warm pool in bytes.",
	"certificate_count":      "The number of all certificates.",
	"certificates":           "The certificates of the gateway's TLS port: at most 200, those that expire first.",
	"source":                 "file or local CA.",
	"hostnames":              "The names in the certificate.",
	"not_after":              "The end of its validity.",
	"changes":                "The number of committed changes.",
	"changes_behind":         "The number of changes that this server has not applied.",
	"streams":                "The number of open streams of consoles.",
}

// merged returns a map with the entries of both maps.
func merged[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
