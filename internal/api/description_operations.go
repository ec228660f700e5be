package api

import (
	"net/http"
	"slices"

	"github.com/jeton-dev/jeton/internal/openapi"
)

// notThere and conflict are the failures of operations on one object.
var (
	notThere = []int{http.StatusNotFound}
	conflict = []int{http.StatusNotFound, http.StatusConflict}
)

// pages are the parameters of a list, before its own.
func pages(own ...string) []string { return append([]string{"page", "page_size", "order_by"}, own...) }

// operations are all that are served, in the order in which they are shown.
var operations = slices.Concat(
	namespaceOperations, functionOperations, tokenOperations, cronOperations, domainOperations, triggerOperations, otherOperations,
)

var namespaceOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/namespaces", ID: "ListNamespaces", Tag: "namespaces", Text: "List the namespaces of the key's project.", Answer: namespacesAnswer{}, Query: pages("name", "organization_id", "project_id")},
	{Pattern: "POST " + base + "/namespaces", ID: "CreateNamespace", Tag: "namespaces", Text: "Make a namespace. It is pending until it has its keys.", Request: createNamespaceRequest{}, Required: []string{"name"}, Answer: namespaceAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/namespaces/{id}", ID: "GetNamespace", Tag: "namespaces", Text: "Get a namespace.", Answer: namespaceAnswer{}, Fails: notThere},
	{Pattern: "PATCH " + base + "/namespaces/{id}", ID: "UpdateNamespace", Tag: "namespaces", Text: "Change a namespace. With other variables its functions are deployed again.", Request: updateNamespaceRequest{}, Answer: namespaceAnswer{}, Fails: conflict},
	{Pattern: "DELETE " + base + "/namespaces/{id}", ID: "DeleteNamespace", Tag: "namespaces", Text: "Delete a namespace with all that is in it. Its tokens open nothing from the answer on.", Answer: namespaceAnswer{}, Fails: notThere},
	{Pattern: "GET " + base + "/namespaces/{id}/functions", ID: "ListFunctionsOfNamespace", Tag: "namespaces", Text: "List the functions of a namespace, as the Serverless Framework's plugin asks for them.", Answer: functionsAnswer{}, Query: pages("name", "organization_id", "project_id")},
}

var functionOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/functions", ID: "ListFunctions", Tag: "functions", Text: "List the functions of a namespace.", Answer: functionsAnswer{}, Query: pages("namespace_id!", "name", "organization_id", "project_id")},
	{Pattern: "POST " + base + "/functions", ID: "CreateFunction", Tag: "functions", Text: "Make a function, which has no code yet.", Request: createFunctionRequest{}, Required: []string{"namespace_id", "name", "runtime"}, Answer: functionAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/functions/{id}", ID: "GetFunction", Tag: "functions", Text: "Get a function.", Answer: functionAnswer{}, Fails: notThere},
	{Pattern: "PATCH " + base + "/functions/{id}", ID: "UpdateFunction", Tag: "functions", Text: "Change a function, and deploy it where that takes a deployment.", Request: updateFunctionRequest{}, Answer: functionAnswer{}, Fails: conflict},
	{Pattern: "DELETE " + base + "/functions/{id}", ID: "DeleteFunction", Tag: "functions", Text: "Delete a function with its tokens, crons, triggers and domains.", Answer: functionAnswer{}, Fails: notThere},
	{Pattern: "POST " + base + "/functions/{id}/deploy", ID: "DeployFunction", Tag: "functions", Text: "Build the code that was uploaded last, and serve it when it is ready.", Request: struct{}{}, Answer: functionAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/functions/{id}/upload-url", ID: "GetFunctionUploadURL", Tag: "functions", Text: "Get an address to put code at, which is good for an hour.", Answer: signedURL{}, Query: []string{"content_length!"}, Fails: notThere},
	{Pattern: "GET " + base + "/functions/{id}/download-url", ID: "GetFunctionDownloadURL", Tag: "functions", Text: "Get an address to get the code from that was uploaded last.", Answer: signedURL{}, Fails: notThere},
	{Pattern: "GET " + base + "/functions/{id}/logs", ID: "ListFunctionLogs", Tag: "functions", Text: "List what a function has said since a time or for a while; with follow, go on with what it says, one JSON object a line.", Answer: logsAnswer{}, Query: []string{"since", "limit", "follow"}, Fails: notThere},
	{Pattern: "PUT " + archivePath, ID: "PutArchive", Tag: "functions", Text: "Put code at the address that upload-url gave.", Open: true, RequestType: archiveType, Query: []string{keyParameter + "!", expiresParameter + "!", lengthParameter + "!", signatureParameter + "!"}, Fails: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}},
	{Pattern: "GET " + archivePath, ID: "GetArchive", Tag: "functions", Text: "Get code from the address that download-url gave.", Open: true, AnswerType: archiveType, Query: []string{keyParameter + "!", expiresParameter + "!", signatureParameter + "!"}, Fails: []int{http.StatusForbidden, http.StatusNotFound}},
}

var tokenOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/tokens", ID: "ListTokens", Tag: "tokens", Text: "List the tokens that were made for a function or for a namespace: one of the two is given.", Answer: tokensAnswer{}, Query: pages("function_id", "namespace_id")},
	{Pattern: "POST " + base + "/tokens", ID: "CreateToken", Tag: "tokens", Text: "Make a token for one function, or for all functions of one namespace. Its text is in this answer and nowhere else.", Request: createTokenRequest{}, Answer: tokenAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/tokens/{id}", ID: "GetToken", Tag: "tokens", Text: "Get a token, without its text.", Answer: tokenAnswer{}, Fails: notThere},
	{Pattern: "DELETE " + base + "/tokens/{id}", ID: "DeleteToken", Tag: "tokens", Text: "Revoke a token. No call that begins after the answer is let in with it.", Answer: tokenAnswer{}, Fails: notThere},
	{Pattern: "GET " + base + "/issue-jwt", ID: "IssueJWT", Tag: "tokens", Text: "Make a token, as the Serverless Framework's plugin asks for one.", Answer: issuedTokenAnswer{}, Query: []string{"function_id", "namespace_id", "expires_at", "expiration_date"}, Fails: conflict},
	{Pattern: "GET /.well-known/jwks.json", ID: "GetKeys", Tag: "tokens", Text: "Get the public keys of all namespaces, with which the signatures of tokens are checked (RFC 7517).", Open: true, AnswerType: "application/jwk-set+json"},
}

var cronOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/crons", ID: "ListCrons", Tag: "crons", Text: "List the crons of a function.", Answer: cronsAnswer{}, Query: pages("function_id!")},
	{Pattern: "POST " + base + "/crons", ID: "CreateCron", Tag: "crons", Text: "Have a function called on time.", Request: createCronRequest{}, Required: []string{"function_id", "schedule"}, Answer: cronAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/crons/{id}", ID: "GetCron", Tag: "crons", Text: "Get a cron.", Answer: cronAnswer{}, Fails: notThere},
	{Pattern: "PATCH " + base + "/crons/{id}", ID: "UpdateCron", Tag: "crons", Text: "Change a cron.", Request: updateCronRequest{}, Answer: cronAnswer{}, Fails: conflict},
	{Pattern: "DELETE " + base + "/crons/{id}", ID: "DeleteCron", Tag: "crons", Text: "Delete a cron.", Answer: cronAnswer{}, Fails: notThere},
}

var domainOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/domains", ID: "ListDomains", Tag: "domains", Text: "List the custom hostnames of a function.", Answer: domainsAnswer{}, Query: pages("function_id!")},
	{Pattern: "POST " + base + "/domains", ID: "CreateDomain", Tag: "domains", Text: "Serve a function under a hostname of its owner's.", Request: createDomainRequest{}, Required: []string{"function_id", "hostname"}, Answer: domainAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/domains/{id}", ID: "GetDomain", Tag: "domains", Text: "Get a domain.", Answer: domainAnswer{}, Fails: notThere},
	{Pattern: "DELETE " + base + "/domains/{id}", ID: "DeleteDomain", Tag: "domains", Text: "Serve a function under a hostname no more.", Answer: domainAnswer{}, Fails: notThere},
}

var triggerOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/triggers", ID: "ListTriggers", Tag: "triggers", Text: "List the triggers of a function, of a namespace or of the project.", Answer: triggersAnswer{}, Query: pages("function_id", "namespace_id", "project_id")},
	{Pattern: "POST " + base + "/triggers", ID: "CreateTrigger", Tag: "triggers", Text: "Have a function called with each message of one queue or subject.", Request: createTriggerRequest{}, Required: []string{"function_id", "name"}, Answer: triggerAnswer{}, Fails: conflict},
	{Pattern: "GET " + base + "/triggers/{id}", ID: "GetTrigger", Tag: "triggers", Text: "Get a trigger.", Answer: triggerAnswer{}, Fails: notThere},
	{Pattern: "PATCH " + base + "/triggers/{id}", ID: "UpdateTrigger", Tag: "triggers", Text: "Change a trigger.", Request: updateTriggerRequest{}, Answer: triggerAnswer{}, Fails: notThere},
	{Pattern: "DELETE " + base + "/triggers/{id}", ID: "DeleteTrigger", Tag: "triggers", Text: "Delete a trigger. It consumes nothing from the answer on.", Answer: triggerAnswer{}, Fails: notThere},
}

var otherOperations = []openapi.Operation{
	{Pattern: "GET " + base + "/runtimes", ID: "ListFunctionRuntimes", Tag: "others", Text: "List all runtimes at once.", Answer: runtimesAnswer{}},
	{Pattern: "GET /iam/v1alpha1/api-keys/{access_key}", ID: "GetAPIKey", Tag: "others", Text: "Get the caller's own API key.", Answer: apiKeyAnswer{}, Fails: notThere},
	{Pattern: "GET /account/v3/projects", ID: "ListProjects", Tag: "others", Text: "List the projects that the key opens.", Answer: projectsAnswer{}, Query: pages("name", "organization_id", "project_ids")},
	{Pattern: "GET /account/v3/projects/{id}", ID: "GetProject", Tag: "others", Text: "Get a project that the key opens.", Answer: projectAnswer{}, Fails: notThere},
	{Pattern: "POST /account/v3/projects", ID: "CreateProject", Tag: "others", Text: "Make a project, with a key of the whole organization.", Request: createProjectRequest{}, Required: []string{"name"}, Answer: projectAnswer{}, Fails: []int{http.StatusConflict}},
	{Pattern: "PATCH /account/v3/projects/{id}", ID: "UpdateProject", Tag: "others", Text: "Change a project, with a key of the whole organization.", Request: updateProjectRequest{}, Answer: projectAnswer{}, Fails: conflict},
	{Pattern: "DELETE /account/v3/projects/{id}", ID: "DeleteProject", Tag: "others", Text: "Delete a project that is empty, with a key of the whole organization.", Empty: true, Fails: []int{http.StatusNotFound, http.StatusPreconditionFailed}},
	{Pattern: "GET /metadata", ID: "GetMetadata", Tag: "others", Text: "Get what the SDKs put before the names of objects.", Open: true, Answer: metadataAnswer{}},
	{Pattern: "GET " + descriptionPath, ID: "GetDescription", Tag: "others", Text: "Get this description, for programs.", Open: true, AnswerType: "application/json"},
	{Pattern: "GET " + pagePath, ID: "GetDescriptionPage", Tag: "others", Text: "Get this description, to read.", Open: true, AnswerType: "text/html"},
}
