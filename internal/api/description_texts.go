package api

// texts say what each field and parameter is. Those of the same name are the same
// thing, or have the name of their object before them.
var texts = map[string]string{
	"id": "The object's own ID.", "name": "Its name, which never changes but for crons and triggers.",
	"parameter.name": "Those of exactly this name.", "status": "Its state; creating, pending and deleting pass by themselves.",
	"error_message": "Why the state is error.", "description": "Any text of up to 4096 bytes.", "tags": "Up to 100 words to find it by.",
	"created_at": "When it was made.", "updated_at": "When it was changed last.", "region": "Where it lives.",
	"organization_id": "The organization that it belongs to.", "project_id": "The project that it belongs to; the key's own where none is given.",
	"total_count": "How many there are on all pages.",

	"environment_variables":                               "Variables of the functions. A change replaces all of them.",
	"secret_environment_variables":                        "Variables whose values are never given back.",
	"UpdateNamespaceRequest.secret_environment_variables": "Those to set, and those to remove; the others stay.",
	"UpdateFunctionRequest.secret_environment_variables":  "Those to set, and those to remove; the others stay.",
	"key": "The variable's name.", "value": "Its value; none removes the variable.",
	"hashed_value":          "The argon2id hash of the value, by which one who knows it can tell.",
	"registry_namespace_id": "An ID, empty until the namespace is ready.", "registry_endpoint": "An address as Scaleway's namespaces have one; nothing is there.",
	"vpc_integration_activated": "Always false.", "namespaces": "The namespaces of the page.",

	"namespace_id": "The namespace that it is in.", "Token.namespace_id": "The namespace whose functions the token opens.",
	"CreateTokenRequest.namespace_id": "The namespace whose functions the token is to open.",
	"min_scale":                       "How many instances are kept when nobody calls.", "max_scale": "The most instances at once, which is the most calls at once; 5 where none is given.",
	"runtime": "The language and its version, such as go126.", "memory_limit": "The memory of an instance in MB: 128, 256, 512, 1024, 2048, 3072 or 4096.",
	"cpu_limit": "The share of a processor in thousandths, which goes with the memory.", "timeout": "How long one call may take, in seconds with an s behind.",
	"handler": "Where the code begins; the runtime's default where none is given.", "privacy": "Whether calls need a token: public or private; public where none is given.",
	"domain_name": "The host under which the function is called.", "http_option": "What becomes of calls over plain HTTP: enabled serves them, redirected sends them to HTTPS.",
	"runtime_message": "That the runtime is past its best.", "build_message": "How far the deployment is.", "sandbox": "v1 or v2; it makes no difference.",
	"ready_at": "When it was ready for the first time.", "private_network_id": "The private network that it is in.", "redeploy": "Deploy it though nothing has changed.",
	"functions": "The functions of the page.", "url": "The address to go to.", "Domain.url": "The address of the function there; empty until the domain is ready.",
	"headers": "The headers to send along, by their names.", "content_length": "How long the archive is, in bytes.",
	"logs": "What was said, line by line, oldest first.", "LogLine.message": "The line, without secrets.", "timestamp": "When it was said.",
	"stream": "Where it was said: stdout or stderr.", "revision_id": "The state of the function that said it.", "instance_id": "The instance that said it.",
	"since": "From when on: a time such as 2027-01-31T12:00:00Z, or how long ago, such as 10m.", "limit": "How many lines at most, the newest.",
	"follow":     "Go on with what is said from now on, for an hour at most, and answer with one JSON object a line.",
	"request_id": "The call that the instance served then, or had served last.",

	"token": "The token's text in the answer to its creation, <hidden> later.", "public_key": "The public key that checks the token's signature, in the answer to its creation.",
	"IssuedToken.token": "The token's text.", "function_id": "The function that it is of.", "Token.function_id": "The function that the token opens.",
	"CreateTokenRequest.function_id": "The function that the token is to open.", "expires_at": "From when on it opens nothing; never where there is none.",
	"expiration_date": "The same as expires_at.", "tokens": "The tokens of the page.",

	"schedule": "When it calls, as five fields of cron, in UTC.", "args": "The JSON object that is the body of its calls.", "crons": "The crons of the page.",
	"hostname": "The hostname, which must lead to the function.", "domains": "The domains of the page.",

	"input_type": "The kind of its source: scw_sqs, scw_nats or sqs.", "scw_sqs_config": "A queue of the messaging product.", "scw_nats_config": "A subject of the messaging product.",
	"sqs_config": "A queue of any service that speaks SQS.", "queue": "The queue's name.", "subject": "The subject; * stands for one name, > at the end for all that follow.",
	"mnq_project_id": "The project that the source is in.", "mnq_region": "The region that the source is in.", "mnq_credential_id": "An ID, null until the trigger is ready.",
	"mnq_nats_account_id": "The account that the subject is in.", "endpoint": "The service's address.", "queue_url": "The queue's address.",
	"access_key": "An access key.", "secret_key": "A secret key, which is never given back.", "triggers": "The triggers of the page.",

	"Runtime.name": "The runtime's name.", "language": "Its language.", "version": "The language's version.", "default_handler": "The handler where none is given.",
	"code_sample": "A function to begin with.", "Runtime.status": "available, beta, deprecated, end_of_support or end_of_life.", "status_message": "What that means to its users.",
	"extension": "The suffix of its files.", "implementation": "The toolchain of this machine that serves the runtime; empty if none does.", "logo_url": "The language's logo, at Scaleway.", "runtimes": "All runtimes.",

	"default_project_id": "The project that the key is for.", "editable": "Always false: keys are changed by the owner of the server.", "deletable": "Always false.", "managed": "Always false.",
	"creation_ip": "Always empty.", "qualification": "What Scaleway is told about a project.", "architecture_type": "Always unknown_architecture_type.", "projects": "The projects of the page.", "precondition": "What must be so.",
	"project_ids": "Those of these IDs.",

	"domain": "Always scw.eu.", "partition": "Always scw.", "platform": "Always external.",

	"page": "Which page, from 1.", "page_size": "How many to a page.", "order_by": "A field, and asc or desc: created_at, for namespaces and functions name, for domains hostname.",
	keyParameter: "The access key of the API key that asked for the address.", expiresParameter: "Until when the address is good.", lengthParameter: "How long the archive is.", signatureParameter: "What shows that the address was given by this server.",

	"message": "What went wrong, for people.", "method": "How the caller was to be known: api_key.", "reason": "Why: not_found, expired or invalid_argument.",
	"InvalidArgument.reason": "required, format, constraint or unknown.", "type": "The kind of failure.", "details": "One entry for each.",
	"action": "read or write.", "resource": "The kind of thing that it is about.", "argument_name": "The argument.", "help_message": "What it should be.",
	"resource_id": "Its ID.", "current_state": "The state that forbids it.", "quota": "How many there may be.", "current": "How many there are, or would be.",
}
