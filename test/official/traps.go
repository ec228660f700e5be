package official

import (
	"fmt"
	"strings"
)

// A Trap is an object whose state of the official provider is unusual, so that another
// provider may plan a change. The plan must be empty.
type Trap struct {
	// Of is the name of the object.
	Of        string
	Arguments Arguments
	State     Values
	// Archive is whether the archive function.zip exists.
	Archive bool
	// Refreshed is whether the plan is empty only after a refresh, because the state
	// lacks values that only the server has.
	Refreshed bool
}

// Object returns the object with the trap's arguments and state.
func (p Trap) Object(objects map[string]Object) Object {
	return objects[p.Of].With(p.Arguments, p.State)
}

// Traps returns all traps by description.
func Traps(objects map[string]Object) map[string]Trap {
	id := func(of, reference string) string { return fmt.Sprint(objects[of].State[reference]) }
	timeouts := Arguments{"timeouts": "{\n    read    = \"1m\"\n    default = \"3m\"\n  }"}
	allTimeouts := Values{"create": nil, "read": "1m", "update": nil, "delete": nil, "default": "3m"}
	return map[string]Trap{
		"token, unset is an empty text":         {Of: BareToken},
		"token, region null":                    {Of: FullToken, State: Values{"region": nil}},
		"token, region configured":              {Of: FullToken, Arguments: Arguments{"region": `"fr-par"`}},
		"token, region in both":                 {Of: FullToken, Arguments: Arguments{"region": `"fr-par"`}, State: Values{"region": "fr-par"}},
		"token, bare in both":                   {Of: FullToken, Arguments: Arguments{"namespace_id": quote(id(FullToken, "namespace_id"))}},
		"token, bare in state":                  {Of: FullToken},
		"token, bare in configuration":          {Of: FullToken, Arguments: Arguments{"namespace_id": quote(id(FullToken, "namespace_id"))}, State: Values{"namespace_id": "fr-par/" + id(FullToken, "namespace_id")}},
		"token, function bare in configuration": {Of: BareToken, Arguments: Arguments{"function_id": quote(id(BareToken, "function_id"))}},
		"token, expiry in another zone":         {Of: FullToken, Arguments: Arguments{"expires_at": `"2040-10-18T11:35:15+02:00"`}},
		"token, imported without its value":     {Of: FullToken, State: Values{"token": nil}},
		"token, description of no characters":   {Of: BareToken, Arguments: Arguments{"description": `""`}},

		"function, nothing configured":         {Of: BareFunction},
		"function, everything configured":      {Of: FullFunction},
		"function, namespace bare in both":     {Of: BareFunction, Arguments: Arguments{"namespace_id": quote(id(BareFunction, "namespace_id"))}},
		"function, namespace regional in both": {Of: BareFunction, State: Values{"namespace_id": "fr-par/" + id(BareFunction, "namespace_id")}},
		"function, defaults written down": {Of: BareFunction, Arguments: Arguments{
			"min_scale": "0", "max_scale": "20", "memory_limit": "256", "timeout": "300", "http_option": `"enabled"`, "sandbox": `"v2"`, "deploy": "false",
		}},
		"function, switch null after import":  {Of: BareFunction, State: Values{"deploy": nil}},
		"function, runtime null after import": {Of: BareFunction, State: Values{"runtime": nil, "deploy": nil}, Refreshed: true},
		"function, empty collections":         {Of: BareFunction, State: Values{"tags": []string{}, "environment_variables": Values{}, "secret_environment_variables": Values{}}},
		"function, empty collections in both": {Of: BareFunction, Arguments: Arguments{"tags": "[]", "environment_variables": "{}"}, State: Values{"tags": []string{}, "environment_variables": Values{}}},
		"function, secrets in clear":          {Of: FullFunction, State: Values{"secret_environment_variables": Values{"HIDDEN": Secret}}},
		"function, network bare":              {Of: FullFunction, Arguments: Arguments{"private_network_id": quote(NetworkID)}},
		"function, network of no characters":  {Of: BareFunction, Arguments: Arguments{"private_network_id": `""`}},
		"function, timeouts alone":            {Of: BareFunction, Arguments: timeouts},
		"function, variables without a value": {Of: BareFunction, Arguments: Arguments{"environment_variables": "{ A = null }", "secret_environment_variables": "{ B = null }"}, State: Values{"environment_variables": Values{}, "secret_environment_variables": Values{}}},
		"function, timeouts":                  {Of: BareFunction, Arguments: timeouts, State: Values{"timeouts": allTimeouts}},
		"function, project configured":        {Of: BareFunction, Arguments: Arguments{"project_id": quote(id(BareNamespace, "project_id"))}, State: Values{"project_id": id(BareNamespace, "project_id")}},
		"function, archive without a hash":    {Of: BareFunction, Arguments: Arguments{"zip_file": `"function.zip"`}, State: Values{"zip_file": "function.zip"}, Archive: true},
		"function, archive that is not here":  {Of: BareFunction, Arguments: Arguments{"zip_file": `"function.zip"`}, State: Values{"zip_file": "function.zip"}},
		"function, archive with a hash":       {Of: BareFunction, Arguments: Arguments{"zip_file": `"function.zip"`, "zip_hash": `"1"`}, State: Values{"zip_file": "function.zip", "zip_hash": "1"}, Archive: true},

		"cron, nothing configured":             {Of: BareCron},
		"cron, everything configured":          {Of: FullCron},
		"cron, function bare in configuration": {Of: BareCron, Arguments: Arguments{"function_id": quote(strings.TrimPrefix(id(BareCron, "function_id"), "fr-par/"))}},
		"cron, arguments in another order":     {Of: FullCron, Arguments: Arguments{"args": `"{ \"b\": [1, 2], \"a\": \"x\" }"`}},
		"cron, arguments left out":             {Of: BareCron, Arguments: Arguments{"args": "null"}},
		"cron, timeouts alone":                 {Of: BareCron, Arguments: timeouts},
		"cron, timeouts":                       {Of: BareCron, Arguments: timeouts, State: Values{"timeouts": allTimeouts}},

		"domain":                                 {Of: TheDomain},
		"domain, function bare in configuration": {Of: TheDomain, Arguments: Arguments{"function_id": quote(strings.TrimPrefix(id(TheDomain, "function_id"), "fr-par/"))}},
		"domain, timeouts alone":                 {Of: TheDomain, Arguments: timeouts},
		"domain, timeouts":                       {Of: TheDomain, Arguments: timeouts, State: Values{"timeouts": allTimeouts}},

		"trigger, region configured": {Of: QueueTrigger, Arguments: Arguments{"region": `"fr-par"`}},
		"trigger, region of its source configured": {Of: QueueTrigger, Arguments: Arguments{
			"sqs": blockStart + "    queue = \"orders\"\n    region = \"fr-par\"\n  }",
		}, State: Values{"sqs": []any{Values{"namespace_id": "", "project_id": id(BareNamespace, "project_id"), "queue": "orders", "region": nil}}}},
		"trigger, a queue":   {Of: QueueTrigger},
		"trigger, a subject": {Of: NATSTrigger},
		"trigger, a queue with an old namespace": {Of: QueueTrigger, Arguments: Arguments{
			"sqs": blockStart + "    queue = \"orders\"\n    namespace_id = \"fr-par/" + NetworkID + "\"\n  }",
		}, State: Values{"sqs": []any{Values{"namespace_id": NetworkID, "project_id": id(BareNamespace, "project_id"), "queue": "orders", "region": "fr-par"}}}},
		"trigger, account bare in configuration": {Of: NATSTrigger, Arguments: Arguments{"nats": blockStart + "    subject = \"orders.>\"\n    account_id = \"" + NetworkID + "\"\n  }"}},
		"trigger, nothing read after an import":  {Of: QueueTrigger, State: Values{"sqs": []any{}, "function_id": nil}, Refreshed: true},
		"trigger, timeouts alone":                {Of: QueueTrigger, Arguments: timeouts},
		"trigger, timeouts":                      {Of: QueueTrigger, Arguments: timeouts, State: Values{"timeouts": allTimeouts}},

		"namespace, nothing configured":       {Of: BareNamespace},
		"namespace, everything configured":    {Of: FullNamespace},
		"namespace, empty collections":        {Of: BareNamespace, State: Values{"tags": []string{}, "environment_variables": Values{}, "secret_environment_variables": Values{}}},
		"namespace, secrets in clear":         {Of: FullNamespace, State: Values{"secret_environment_variables": Values{"HIDDEN": Secret, "OTHER": ""}}},
		"namespace, timeouts alone":           {Of: BareNamespace, Arguments: timeouts},
		"namespace, timeouts removed":         {Of: BareNamespace, State: Values{"timeouts": allTimeouts}},
		"namespace, timeouts":                 {Of: BareNamespace, Arguments: timeouts, State: Values{"timeouts": allTimeouts}},
		"namespace, region and project named": {Of: BareNamespace, Arguments: Arguments{"region": `"fr-par"`, "project_id": quote(id(BareNamespace, "project_id"))}},
	}
}
