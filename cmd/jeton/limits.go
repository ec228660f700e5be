package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/server"
)

// quotaFlags are the quotas on what belongs to functions.
type quotaFlags struct {
	MaxProjects        int `help:"Maximum number of projects." default:"${maxProjects}"`
	MaxTokens          int `help:"Maximum number of tokens of a function or of a namespace." default:"${maxTokens}"`
	MaxProjectTokens   int `help:"Maximum number of tokens of a project." default:"${maxProjectTokens}"`
	MaxCrons           int `help:"Maximum number of crons of a function." default:"${maxCrons}"`
	MaxProjectCrons    int `help:"Maximum number of crons of a project." default:"${maxProjectCrons}"`
	MaxTriggers        int `help:"Maximum number of triggers of a function." default:"${maxTriggers}"`
	MaxProjectTriggers int `help:"Maximum number of triggers of a project." default:"${maxProjectTriggers}"`
	MaxProjectDomains  int `help:"Maximum number of custom hostnames of a project." default:"${maxProjectDomains}"`
}

func (q quotaFlags) over(l functions.Limits) functions.Limits {
	l.Projects = q.MaxProjects
	l.Tokens, l.ProjectTokens = q.MaxTokens, q.MaxProjectTokens
	l.Crons, l.ProjectCrons = q.MaxCrons, q.MaxProjectCrons
	l.Triggers, l.ProjectTriggers = q.MaxTriggers, q.MaxProjectTriggers
	l.ProjectDomains = q.MaxProjectDomains
	return l
}

// trafficFlags bound what callers may send.
type trafficFlags struct {
	MaxConnections        int     `help:"Maximum number of open connections to the gateway; the API has a sixteenth of that beside it." default:"${maxConnections}"`
	MaxAddressConnections int     `help:"Maximum number of open connections of one client address (of IPv6, a /64); 0 for any. Trusted proxies have no maximum." default:"${maxAddressConnections}"`
	MinBodyRate           int     `help:"Minimum rate of a request body after its first 10 seconds, in bytes per second." default:"${minBodyRate}"`
	GatewayMemory         int64   `help:"Maximum memory for request bodies and long headers that wait in the gateway, in bytes." default:"${gatewayMemory}"`
	FunctionRate          float64 `help:"Maximum calls per second of one function; 0 for any. More are answered with 429." default:"0"`
	FunctionBurst         int     `help:"Calls of one function that may exceed the rate at once." default:"${burst}"`
	FunctionCalls         int     `help:"Maximum calls of one function at a time, waiting ones included; 0 for any." default:"0"`
	CallerRate            float64 `help:"Maximum calls per second of one function by one caller: a token, an API key, or the address of an unauthenticated caller; 0 for any." default:"0"`
	CallerBurst           int     `help:"Calls of one caller that may exceed the rate at once." default:"${burst}"`
	CallerCalls           int     `help:"Maximum calls of one function by one caller at a time; 0 for any." default:"0"`
	ACMEBudget            int     `name:"acme-budget" help:"Maximum certificates that one project may cause to be asked for per week." default:"${acmeBudget}"`
}

func (f trafficFlags) over(t server.Traffic) server.Traffic {
	t.Connections, t.AddressConnections = f.MaxConnections, f.MaxAddressConnections
	t.MinBodyRate, t.Memory, t.ACMEBudget = f.MinBodyRate, f.GatewayMemory, f.ACMEBudget
	t.Limits.FunctionRate, t.Limits.FunctionBurst, t.Limits.FunctionCalls = f.FunctionRate, f.FunctionBurst, f.FunctionCalls
	t.Limits.CallerRate, t.Limits.CallerBurst, t.Limits.CallerCalls = f.CallerRate, f.CallerBurst, f.CallerCalls
	return t
}

// limitDefaults are the values that the help of these flags names.
func limitDefaults(c server.Config) kong.Vars {
	return kong.Vars{
		"maxProjects": fmt.Sprint(c.Limits.Projects),
		"maxTokens":   fmt.Sprint(c.Limits.Tokens), "maxProjectTokens": fmt.Sprint(c.Limits.ProjectTokens),
		"maxCrons": fmt.Sprint(c.Limits.Crons), "maxProjectCrons": fmt.Sprint(c.Limits.ProjectCrons),
		"maxTriggers": fmt.Sprint(c.Limits.Triggers), "maxProjectTriggers": fmt.Sprint(c.Limits.ProjectTriggers),
		"maxProjectDomains": fmt.Sprint(c.Limits.ProjectDomains),
		"maxConnections":    fmt.Sprint(c.Traffic.Connections), "maxAddressConnections": fmt.Sprint(c.Traffic.AddressConnections),
		"minBodyRate": fmt.Sprint(c.Traffic.MinBodyRate), "gatewayMemory": fmt.Sprint(c.Traffic.Memory),
		"burst": fmt.Sprint(c.Traffic.Limits.FunctionBurst), "acmeBudget": fmt.Sprint(c.Traffic.ACMEBudget),
	}
}
