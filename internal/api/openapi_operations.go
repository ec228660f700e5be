package api

import (
	"net/http"
	"slices"

	"github.com/jeton-dev/jeton/internal/openapi"
)

// missingError and conflictErrors are the errors of operations on one object.
var (
	missingError   = []int{http.StatusNotFound}
	conflictErrors = []int{http.StatusNotFound, http.StatusConflict}
)

// listParameters returns the query parameters of a list: those of paging and the given
// ones.
func listParameters(own ...string) []string {
	return append([]string{"page", "page_size", "order_by"}, own...)
}

// operations describes all operations, in the order of the HTML page.
var operations = slices.Concat(
	namespaceOperations, functionOperations, tokenOperations, cronOperations, domainOperations, triggerOperations, otherOperations, insightOperations,
)

var namespaceOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/namespaces", ID: "ListNamespaces", Tag: "namespaces", Summary: "List the namespaces of the projects that the API key covers.", Response: namespacesResponse{}, Query: listParameters("name", "organization_id", "project_id")},
	{Pattern: "POST " + base + "/namespaces", ID: "CreateNamespace", Tag: "namespaces", Summary: "Create a namespace. It is pending until its key pair is generated.", Request: createNamespaceRequest{}, Required: []string{"name"}, Response: namespaceResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/namespaces/{id}", ID: "GetNamespace", Tag: "namespaces", Summary: "Get a namespace.", Response: namespaceResponse{}, Errors: missingError},
	{Pattern: "PATCH " + base + "/namespaces/{id}", ID: "UpdateNamespace", Tag: "namespaces", Summary: "Update a namespace. A change of its variables redeploys its functions.", Request: updateNamespaceRequest{}, Response: namespaceResponse{}, Errors: conflictErrors},
	{Pattern: "DELETE " + base + "/namespaces/{id}", ID: "DeleteNamespace", Tag: "namespaces", Summary: "Delete a namespace with its functions and tokens. Calls with its tokens that start after the response are denied.", Response: namespaceResponse{}, Errors: missingError},
	{Pattern: "GET " + base + "/namespaces/{id}/functions", ID: "ListFunctionsOfNamespace", Tag: "namespaces", Summary: "List the functions of a namespace, for the plugin of the Serverless Framework.", Response: functionsResponse{}, Query: listParameters("name", "organization_id", "project_id")},
}

var functionOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/functions", ID: "ListFunctions", Tag: "functions", Summary: "List the functions of a namespace.", Response: functionsResponse{}, Query: listParameters("namespace_id!", "name", "organization_id", "project_id")},
	{Pattern: "POST " + base + "/functions", ID: "CreateFunction", Tag: "functions", Summary: "Create a function without code.", Request: createFunctionRequest{}, Required: []string{"namespace_id", "name", "runtime"}, Response: functionResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/functions/{id}", ID: "GetFunction", Tag: "functions", Summary: "Get a function.", Response: functionResponse{}, Errors: missingError},
	{Pattern: "PATCH " + base + "/functions/{id}", ID: "UpdateFunction", Tag: "functions", Summary: "Update a function, and deploy it if the change requires a deployment.", Request: updateFunctionRequest{}, Response: functionResponse{}, Errors: conflictErrors},
	{Pattern: "DELETE " + base + "/functions/{id}", ID: "DeleteFunction", Tag: "functions", Summary: "Delete a function with its tokens, crons, triggers and domains.", Response: functionResponse{}, Errors: missingError},
	{Pattern: "POST " + base + "/functions/{id}/deploy", ID: "DeployFunction", Tag: "functions", Summary: "Deploy the code that was uploaded last: build it, then replace the running revision.", Request: struct{}{}, Response: functionResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/functions/{id}/upload-url", ID: "GetFunctionUploadURL", Tag: "functions", Summary: "Get a URL for uploading code. It is valid for one hour.", Response: signedURL{}, Query: []string{"content_length!"}, Errors: missingError},
	{Pattern: "GET " + base + "/functions/{id}/download-url", ID: "GetFunctionDownloadURL", Tag: "functions", Summary: "Get a URL for downloading the code that was uploaded last. It is valid for one hour.", Response: signedURL{}, Errors: missingError},
	{Pattern: "GET " + base + "/functions/{id}/logs", ID: "ListFunctionLogs", Tag: "functions", Summary: "List the log lines of a function. With follow, stream new lines as well, one JSON object per line.", Response: logsResponse{}, Query: []string{"since", "limit", "follow", "calls"}, Errors: missingError},
	{Pattern: "GET " + base + "/functions/{id}/build-log", ID: "GetFunctionBuildLog", Tag: "functions", Summary: "Get the log of the latest build of a function. The log of a running build is its beginning.", Response: BuildLog{}, Errors: missingError},
	{Pattern: "PUT " + archivePath, ID: "PutArchive", Tag: "functions", Summary: "Upload code to a URL from upload-url.", Public: true, RequestType: archiveType, Query: []string{keyParameter + "!", expiresParameter + "!", lengthParameter + "!", signatureParameter + "!"}, Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}},
	{Pattern: "GET " + archivePath, ID: "GetArchive", Tag: "functions", Summary: "Download code from a URL from download-url.", Public: true, ResponseType: archiveType, Query: []string{keyParameter + "!", expiresParameter + "!", signatureParameter + "!"}, Errors: []int{http.StatusForbidden, http.StatusNotFound}},
}

var tokenOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/tokens", ID: "ListTokens", Tag: "tokens", Summary: "List the tokens of a function or of a namespace. One of function_id and namespace_id is required.", Response: tokensResponse{}, Query: listParameters("function_id", "namespace_id")},
	{Pattern: "POST " + base + "/tokens", ID: "CreateToken", Tag: "tokens", Summary: "Create a token for one function, or for all functions of one namespace. Only this response contains its value.", Request: createTokenRequest{}, Response: tokenResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/tokens/{id}", ID: "GetToken", Tag: "tokens", Summary: "Get a token without its value.", Response: tokenResponse{}, Errors: missingError},
	{Pattern: "DELETE " + base + "/tokens/{id}", ID: "DeleteToken", Tag: "tokens", Summary: "Revoke a token. Calls that start after the response are denied.", Response: tokenResponse{}, Errors: missingError},
	{Pattern: "GET " + base + "/issue-jwt", ID: "IssueJWT", Tag: "tokens", Summary: "Create a token, for the plugin of the Serverless Framework.", Response: issuedTokenResponse{}, Query: []string{"function_id", "namespace_id", "expires_at", "expiration_date"}, Errors: conflictErrors},
	{Pattern: "GET /.well-known/jwks.json", ID: "GetKeys", Tag: "tokens", Summary: "Get the public keys of all namespaces as a JSON Web Key Set (RFC 7517), for verifying the signatures of tokens.", Public: true, ResponseType: "application/jwk-set+json"},
}

var cronOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/crons", ID: "ListCrons", Tag: "crons", Summary: "List the crons of a function.", Response: cronsResponse{}, Query: listParameters("function_id!")},
	{Pattern: "POST " + base + "/crons", ID: "CreateCron", Tag: "crons", Summary: "Create a cron, which calls a function on a schedule.", Request: createCronRequest{}, Required: []string{"function_id", "schedule"}, Response: cronResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/crons/{id}", ID: "GetCron", Tag: "crons", Summary: "Get a cron.", Response: cronResponse{}, Errors: missingError},
	{Pattern: "PATCH " + base + "/crons/{id}", ID: "UpdateCron", Tag: "crons", Summary: "Update a cron.", Request: updateCronRequest{}, Response: cronResponse{}, Errors: conflictErrors},
	{Pattern: "DELETE " + base + "/crons/{id}", ID: "DeleteCron", Tag: "crons", Summary: "Delete a cron.", Response: cronResponse{}, Errors: missingError},
}

var domainOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/domains", ID: "ListDomains", Tag: "domains", Summary: "List the custom domains of a function.", Response: domainsResponse{}, Query: listParameters("function_id!")},
	{Pattern: "POST " + base + "/domains", ID: "CreateDomain", Tag: "domains", Summary: "Create a custom domain: serve a function under a further hostname.", Request: createDomainRequest{}, Required: []string{"function_id", "hostname"}, Response: domainResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/domains/{id}", ID: "GetDomain", Tag: "domains", Summary: "Get a domain.", Response: domainResponse{}, Errors: missingError},
	{Pattern: "DELETE " + base + "/domains/{id}", ID: "DeleteDomain", Tag: "domains", Summary: "Delete a domain. The function is no longer served under its hostname.", Response: domainResponse{}, Errors: missingError},
}

var triggerOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/triggers", ID: "ListTriggers", Tag: "triggers", Summary: "List the triggers of a function, of a namespace or of a project.", Response: triggersResponse{}, Query: listParameters("function_id", "namespace_id", "project_id")},
	{Pattern: "POST " + base + "/triggers", ID: "CreateTrigger", Tag: "triggers", Summary: "Create a trigger, which calls a function with each message of a queue or subject.", Request: createTriggerRequest{}, Required: []string{"function_id", "name"}, Response: triggerResponse{}, Errors: conflictErrors},
	{Pattern: "GET " + base + "/triggers/{id}", ID: "GetTrigger", Tag: "triggers", Summary: "Get a trigger.", Response: triggerResponse{}, Errors: missingError},
	{Pattern: "PATCH " + base + "/triggers/{id}", ID: "UpdateTrigger", Tag: "triggers", Summary: "Update a trigger.", Request: updateTriggerRequest{}, Response: triggerResponse{}, Errors: missingError},
	{Pattern: "DELETE " + base + "/triggers/{id}", ID: "DeleteTrigger", Tag: "triggers", Summary: "Delete a trigger. It consumes no messages after the response.", Response: triggerResponse{}, Errors: missingError},
}

var otherOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/runtimes", ID: "ListFunctionRuntimes", Tag: "others", Summary: "List all runtimes. The list is not paged.", Response: runtimesResponse{}},
	{Pattern: "GET /iam/v1alpha1/api-keys/{access_key}", ID: "GetAPIKey", Tag: "others", Summary: "Get the API key of the caller.", Response: apiKeyResponse{}, Errors: missingError},
	{Pattern: "GET /account/v3/projects", ID: "ListProjects", Tag: "others", Summary: "List the projects that the API key covers.", Response: projectsResponse{}, Query: listParameters("name", "organization_id", "project_ids")},
	{Pattern: "GET /account/v3/projects/{id}", ID: "GetProject", Tag: "others", Summary: "Get a project that the API key covers.", Response: projectResponse{}, Errors: missingError},
	{Pattern: "POST /account/v3/projects", ID: "CreateProject", Tag: "others", Summary: "Create a project. Requires an API key of the whole organization.", Request: createProjectRequest{}, Required: []string{"name"}, Response: projectResponse{}, Errors: []int{http.StatusConflict}},
	{Pattern: "PATCH /account/v3/projects/{id}", ID: "UpdateProject", Tag: "others", Summary: "Update a project. Requires an API key of the whole organization.", Request: updateProjectRequest{}, Response: projectResponse{}, Errors: conflictErrors},
	{Pattern: "DELETE /account/v3/projects/{id}", ID: "DeleteProject", Tag: "others", Summary: "Delete an empty project. Requires an API key of the whole organization.", NoContent: true, Errors: []int{http.StatusNotFound, http.StatusPreconditionFailed}},
	{Pattern: "GET /jeton/v1/server", ID: "GetServer", Tag: "others", Summary: "Get the version of the server and the address of the gateway.", Response: serverResponse{}},
	{Pattern: "GET /metadata", ID: "GetMetadata", Tag: "others", Summary: "Get the domain and the partition that Scaleway's SDKs use in resource names.", Public: true, Response: metadataResponse{}},
	{Pattern: "GET " + documentPath, ID: "GetDescription", Tag: "others", Summary: "Get this description as an OpenAPI document.", Public: true, ResponseType: "application/json"},
	{Pattern: "GET " + pagePath, ID: "GetDescriptionPage", Tag: "others", Summary: "Get this description as an HTML page.", Public: true, ResponseType: "text/html"},
}
