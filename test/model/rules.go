package model

import (
	"regexp"
	"strings"
	"time"
)

var (
	id            = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	namespaceName = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	functionName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	variableName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// text returns a text field of a body; empty if it is missing.
func text(body Fields, field string) string {
	value, _ := body[field].(string)
	return value
}

func bad(argument string) Refusal { return Refusal{400, argument} }

// Existing returns the refusals for an ID in a call; none if the object exists.
func (m *Model) Existing(kind Kind, named string) []Refusal {
	switch {
	case !id.MatchString(named):
		return []Refusal{{400, "must be a UUID"}}
	case m.Find(kind, named) == nil:
		return []Refusal{NotFound(kind)}
	}
	return nil
}

// variables returns the refusals for the variables of a body.
func variables(body Fields) (refusals []Refusal) {
	given, _ := body["environment_variables"].(map[string]any)
	for name := range given {
		if !variableName.MatchString(name) || name == "SCW_PUBLIC" {
			refusals = append(refusals, bad("environment_variables"))
		}
	}
	return refusals
}

// NewNamespace returns the fields of a new namespace, or refusals.
func (m *Model) NewNamespace(body Fields) (Fields, []Refusal) {
	refusals := variables(body)
	name := text(body, "name")
	if !namespaceName.MatchString(name) {
		refusals = append(refusals, Refusal{400, "namespace name must begin with a letter"})
	}
	if _, same := m.List(Namespaces, Query{Where: Fields{"name": name}, Page: 1}); same > 0 {
		refusals = append(refusals, Refusal{409, "Namespace already exist"})
	}
	made := Change(body).Changed(Fields{"description": "", "tags": []any{}, "environment_variables": map[string]any{}})
	made["status"] = "ready"
	return made, refusals
}

// ChangedNamespace returns the fields of a changed namespace, or refusals.
func (m *Model) ChangedNamespace(o *Object, body Fields) (Fields, []Refusal) {
	return Change(body).Changed(o.Fields), variables(body)
}

// cpus maps memory limits to CPU limits.
var cpus = map[any]float64{128.0: 70, 256.0: 140, 512.0: 280, 1024.0: 560, 2048.0: 1120, 3072.0: 1680, 4096.0: 2240}

const noCode = "internal error: no code was uploaded for the function: request an upload URL (GET .../upload-url), PUT the archive to it, and deploy"

// languages maps runtimes to their language and default handler.
var languages = map[string][2]string{
	"go126": {"go", "Handle"}, "go118": {"go", "Handle"}, "node24": {"node", "handler.handle"}, "node20": {"node", "handler.handle"},
	"python312": {"python", "handler.handle"},
}

// NewFunction returns the fields of a new function, or refusals.
func (m *Model) NewFunction(body Fields) (Fields, []Refusal) {
	refusals := m.Existing(Namespaces, text(body, "namespace_id"))
	if text(body, "namespace_id") == "" {
		refusals = []Refusal{bad("namespace_id")}
	}
	name, runtime := text(body, "name"), text(body, "runtime")
	if !functionName.MatchString(name) {
		refusals = append(refusals, Refusal{400, "function name must consist of lower case"})
	} else if len(name) > 34 {
		refusals = append(refusals, bad("name"))
	}
	same := Fields{"namespace_id": body["namespace_id"], "name": name}
	if _, count := m.List(Functions, Query{Where: same, Page: 1}); count > 0 {
		refusals = append(refusals, Refusal{409, "resource already exists"})
	}
	made := Change(body).Changed(Fields{
		"description": "", "tags": []any{}, "environment_variables": map[string]any{}, "min_scale": 0.0, "max_scale": 5.0,
		"memory_limit": 256.0, "timeout": "300s", "privacy": "public", "http_option": "enabled", "handler": languages[runtime][1],
	})
	made["status"], made["error_message"], made["ready_at"] = "created", nil, nil
	return made, append(refusals, wrongFunction(made)...)
}

// ChangedFunction returns the fields of a changed function, or refusals. Its deployment
// fails, because it has no code.
func (m *Model) ChangedFunction(o *Object, body Fields) (Fields, []Refusal) {
	changed := Change(body).Changed(o.Fields)
	changed["status"], changed["error_message"] = "error", noCode
	refusals := wrongFunction(changed)
	before, after := languages[text(o.Fields, "runtime")], languages[text(changed, "runtime")]
	if before[0] != after[0] && after[0] != "" {
		refusals = append(refusals, bad("runtime"))
	}
	return changed, refusals
}

// wrongFunction returns the refusals for a function, and sets its CPU limit.
func wrongFunction(f Fields) []Refusal {
	refusals := variables(f)
	language, known := languages[text(f, "runtime")]
	if !known {
		refusals = append(refusals, bad("runtime"))
	}
	if known && language[0] != "go" && !strings.Contains(text(f, "handler"), ".") {
		refusals = append(refusals, Refusal{400, "handler value is invalid"})
	}
	least, _ := f["min_scale"].(float64)
	most, _ := f["max_scale"].(float64)
	if most < 1 || most > 50 {
		refusals = append(refusals, bad("max_scale"))
	}
	if least < 0 || least > most {
		refusals = append(refusals, bad("min_scale"))
	}
	if f["cpu_limit"] = cpus[f["memory_limit"]]; f["cpu_limit"] == 0.0 {
		refusals = append(refusals, bad("memory_limit"))
	}
	if text(f, "timeout") == "7200s" {
		refusals = append(refusals, bad("timeout"))
	}
	for field, values := range map[string]string{"privacy": "public private", "http_option": "enabled redirected"} {
		if !strings.Contains(values, text(f, field)) {
			refusals = append(refusals, bad(field))
		}
	}
	return refusals
}

// NewToken returns the fields of a new token, or refusals.
func (m *Model) NewToken(body Fields) (Fields, []Refusal) {
	f, n := text(body, "function_id"), text(body, "namespace_id")
	var refusals []Refusal
	switch {
	case (f == "") == (n == ""):
		refusals = append(refusals, bad("function_id"))
	case f != "":
		refusals = m.Existing(Functions, f)
	default:
		refusals = m.Existing(Namespaces, n)
	}
	made := Change(body).Changed(Fields{"description": "", "expires_at": nil})
	if given := text(body, "expires_at"); given != "" {
		at, err := time.Parse(time.RFC3339, given)
		if err != nil {
			refusals = append(refusals, bad("expires_at"))
		}
		made["expires_at"] = at.UTC().Format(time.RFC3339)
	}
	made["status"], made["token"], made["public_key"] = "ready", "<hidden>", ""
	return made, refusals
}

// functionOf returns the refusals for the function of a body.
func (m *Model) functionOf(body Fields) []Refusal {
	if text(body, "function_id") == "" {
		return []Refusal{bad("function_id")}
	}
	return m.Existing(Functions, text(body, "function_id"))
}

// wrongCron returns the refusals for a cron, except those for its function.
func wrongCron(c Fields) (refusals []Refusal) {
	if schedule := text(c, "schedule"); len(strings.Fields(schedule)) != 5 && schedule != "@daily" {
		refusals = append(refusals, bad("schedule"))
	}
	if _, ok := c["args"].(map[string]any); !ok {
		refusals = append(refusals, bad("args"))
	}
	return refusals
}

// NewCron returns the fields of a new cron, or refusals.
func (m *Model) NewCron(body Fields) (Fields, []Refusal) {
	made := Change(body).Changed(Fields{"args": map[string]any{}})
	made["status"] = "ready"
	return made, append(m.functionOf(body), wrongCron(made)...)
}

// ChangedCron returns the fields of a changed cron, or refusals.
func (m *Model) ChangedCron(o *Object, body Fields) (Fields, []Refusal) {
	changed := Change(body).Changed(o.Fields)
	return changed, append(m.functionOf(changed), wrongCron(changed)...)
}

// NewDomain returns the fields of a new domain, or refusals.
func (m *Model) NewDomain(body Fields) (Fields, []Refusal) {
	refusals := m.functionOf(body)
	name := strings.ToLower(text(body, "hostname"))
	if !strings.Contains(name, ".") || strings.Contains(name, "*") {
		refusals = append(refusals, bad("hostname"))
	}
	if _, same := m.List(Domains, Query{Where: Fields{"hostname": name}, Page: 1}); same > 0 {
		refusals = append(refusals, Refusal{409, "resource already exists"})
	}
	return Fields{
		"function_id": body["function_id"], "hostname": name, "status": "ready", "url": "https://" + name, "error_message": nil,
	}, refusals
}

// NewTrigger returns the fields of a new trigger, or refusals.
func (m *Model) NewTrigger(body Fields) (Fields, []Refusal) {
	refusals := m.functionOf(body)
	sqs, nats := body["scw_sqs_config"] != nil, body["scw_nats_config"] != nil
	if sqs == nats {
		refusals = append(refusals, bad("config"))
	}
	made := Change(Fields{"name": body["name"], "function_id": body["function_id"], "description": body["description"]}).
		Changed(Fields{"name": "", "description": "", "status": "ready", "error_message": nil, "input_type": map[bool]string{true: "scw_sqs", false: "scw_nats"}[sqs]})
	return made, append(refusals, wrongTrigger(made)...)
}

// ChangedTrigger returns the fields of a changed trigger, or refusals.
func (m *Model) ChangedTrigger(o *Object, body Fields) (Fields, []Refusal) {
	changed := Change(body).Changed(o.Fields)
	return changed, wrongTrigger(changed)
}

func wrongTrigger(t Fields) []Refusal {
	if text(t, "name") == "" {
		return []Refusal{bad("name")}
	}
	return nil
}
