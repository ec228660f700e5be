package main

import "time"

// limitFlags are the limits that Scaleway documents.
type limitFlags struct {
	MinTimeout      time.Duration `config:"Limits.MinTimeout" help:"Minimum timeout of a function." placeholder:"DURATION"`
	MaxTimeout      time.Duration `config:"Limits.MaxTimeout" help:"Maximum timeout of a function." placeholder:"DURATION"`
	MaxNamespaces   int           `config:"Limits.Namespaces" help:"Maximum number of namespaces of a project." placeholder:"N"`
	MaxFunctions    int           `config:"Limits.Functions" help:"Maximum number of functions of an organization." placeholder:"N"`
	MaxDomains      int           `config:"Limits.Domains" help:"Maximum number of custom hostnames of a function." placeholder:"N"`
	MaxScale        int           `config:"Limits.MaxScale" help:"Maximum number of instances of a function." placeholder:"N"`
	MaxVariables    int           `config:"Limits.Variables" help:"Maximum number of plain variables, and of secret ones, per object." placeholder:"N"`
	MaxVariableSize int           `config:"Limits.VariableSize" help:"Maximum length of a plain variable's value, in characters." placeholder:"N"`
	MaxSecretSize   int           `config:"Limits.SecretSize" help:"Maximum size of a secret variable's value." placeholder:"BYTES"`
	MaxArchiveSize  int64         `config:"Limits.ArchiveSize" help:"Maximum size of the archive of a function's code." placeholder:"BYTES"`
	MaxPayloadSize  int64         `config:"Limits.PayloadSize" help:"Maximum size of the body of a call." placeholder:"BYTES"`
	// New functions are refused after a runtime's end of support, and changes of functions
	// after its end of life.
	StrictRuntimes bool `config:"StrictRuntimes" help:"Refuse runtimes that Scaleway refuses, even if they are installed."`
}

// quotaFlags are the quotas for which Scaleway documents no numbers.
type quotaFlags struct {
	MaxProjects        int   `config:"Limits.Projects" help:"Maximum number of projects." placeholder:"N"`
	MaxTokens          int   `config:"Limits.Tokens" help:"Maximum number of tokens of a function or of a namespace." placeholder:"N"`
	MaxProjectTokens   int   `config:"Limits.ProjectTokens" help:"Maximum number of tokens of a project." placeholder:"N"`
	MaxCrons           int   `config:"Limits.Crons" help:"Maximum number of crons of a function." placeholder:"N"`
	MaxProjectCrons    int   `config:"Limits.ProjectCrons" help:"Maximum number of crons of a project." placeholder:"N"`
	MaxTriggers        int   `config:"Limits.Triggers" help:"Maximum number of triggers of a function." placeholder:"N"`
	MaxProjectTriggers int   `config:"Limits.ProjectTriggers" help:"Maximum number of triggers of a project." placeholder:"N"`
	MaxProjectDomains  int   `config:"Limits.ProjectDomains" help:"Maximum number of custom hostnames of a project." placeholder:"N"`
	MaxStorage         int64 `config:"Limits.Storage" help:"Maximum size of all code archives of a project together." placeholder:"BYTES"`
}

// trafficFlags limit what callers may send.
type trafficFlags struct {
	// The API accepts a sixteenth of this number in addition. Further connections are
	// closed; without TLS the client gets 503 first.
	MaxConnections int `config:"Traffic.Connections" help:"Maximum number of open connections to the gateway." placeholder:"N"`
	// An IPv6 address counts as its /64 network. Trusted proxies are exempt.
	MaxAddressConnections int `config:"Traffic.AddressConnections" help:"Maximum number of open connections of one address; 0 for no limit." placeholder:"N"`
	MinBodyRate           int `config:"Traffic.MinBodyRate" help:"Minimum rate of a request body after 10 seconds, in bytes per second." placeholder:"N"`
	// One function can use a quarter of it. Calls that need more get 503.
	GatewayMemory int64 `config:"Traffic.Memory" help:"Maximum memory for request bodies and long headers in the gateway." placeholder:"BYTES"`
	// Calls that exceed this limit or one of the next five get 429 with Retry-After.
	FunctionRate  float64 `config:"Traffic.Limits.FunctionRate" help:"Maximum rate of calls of one function, per second; 0 for no limit." placeholder:"N"`
	FunctionBurst int     `config:"Traffic.Limits.FunctionBurst" help:"Burst: calls of one function that may exceed the rate at once." placeholder:"N"`
	// Calls that wait for an instance count too.
	FunctionCalls int `config:"Traffic.Limits.FunctionCalls" help:"Maximum number of concurrent calls of one function; 0 for no limit." placeholder:"N"`
	// A caller is a token, an API key, or the address of an unauthenticated client.
	CallerRate  float64 `config:"Traffic.Limits.CallerRate" help:"Maximum rate of calls of a function by one caller; 0 for no limit." placeholder:"N"`
	CallerBurst int     `config:"Traffic.Limits.CallerBurst" help:"Burst: calls of one caller that may exceed the rate at once." placeholder:"N"`
	CallerCalls int     `config:"Traffic.Limits.CallerCalls" help:"Maximum number of concurrent calls of a function by one caller; 0 for no limit." placeholder:"N"`
}
