package leave

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// A configuration is a Terraform configuration that is being written.
type configuration struct {
	text strings.Builder
	// names are the used resource names, by type.
	names map[string]map[string]bool
	// secrets are the keys of secret variables by owner, in the form of Secrets.
	secrets map[string][]string
	// ambiguous are the names that several namespaces have, in different projects or
	// regions.
	ambiguous map[string]bool
}

func newConfiguration(all []*Namespace) *configuration {
	c := &configuration{names: map[string]map[string]bool{}, secrets: map[string][]string{}, ambiguous: map[string]bool{}}
	seen := map[string]bool{}
	for _, n := range all {
		c.ambiguous[n.Name] = c.ambiguous[n.Name] || seen[n.Name]
		seen[n.Name] = true
	}
	return c
}

// owner returns the key of an owner of secret variables: the name if it is unique in the
// export, and otherwise the ID.
func (c *configuration) owner(n *Namespace, name, id string) string {
	if c.ambiguous[n.Name] {
		return id
	}
	return name
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// name returns a resource name for the text that no other resource of the type has.
func (c *configuration) name(kind, text string) string {
	base := strings.Trim(notInNames.ReplaceAllString(text, "_"), "_-")
	if base == "" || base[0] >= '0' && base[0] <= '9' || base[0] == '-' {
		base = "_" + base
	}
	if c.names[kind] == nil {
		c.names[kind] = map[string]bool{}
	}
	name := base
	for n := 2; c.names[kind][name]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	c.names[kind][name] = true
	return name
}

// An argument of a resource: the value is an expression. An empty one is left out.
type argument struct{ name, value string }

// resource writes a resource and its import block, and returns its address.
func (c *configuration) resource(kind, name, region, id string, arguments []argument, blocks ...string) string {
	name = c.name(kind, name)
	fmt.Fprintf(&c.text, "resource %q %q {\n", kind, name)
	width := 0
	for _, a := range arguments {
		if a.value != "" {
			width = max(width, len(a.name))
		}
	}
	for _, a := range arguments {
		if a.value != "" {
			fmt.Fprintf(&c.text, "  %-*s = %s\n", width, a.name, a.value)
		}
	}
	for _, block := range blocks {
		c.text.WriteString(block)
	}
	fmt.Fprintf(&c.text, "}\n\nimport {\n  to = %s.%s\n  id = %s\n}\n\n", kind, name, quoted(region+"/"+id))
	return kind + "." + name
}

// quoted returns a string literal of Terraform's language. Text that would begin a
// template is escaped.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(text[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// optional returns the literal of a text, and nothing for an empty one.
func optional(text string) string {
	if text == "" {
		return ""
	}
	return quoted(text)
}

func list(values []string) string {
	if len(values) == 0 {
		return ""
	}
	literals := make([]string, len(values))
	for i, v := range values {
		literals[i] = quoted(v)
	}
	return "[" + strings.Join(literals, ", ") + "]"
}

func mapping(values map[string]string) string {
	if len(values) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "    %s = %s\n", quoted(key), quoted(values[key]))
	}
	return b.String() + "  }"
}

// secretMapping refers to the values of secret variables, which are not exported.
func (c *configuration) secretMapping(owner string, keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	c.secrets[owner] = keys
	var b strings.Builder
	b.WriteString("{\n")
	for _, key := range keys {
		fmt.Fprintf(&b, "    %s = var.secrets[%s][%s]\n", quoted(key), quoted(owner), quoted(key))
	}
	return b.String() + "  }"
}

// namespace writes a namespace with everything in it.
func (c *configuration) namespace(n *Namespace, code map[string]string) {
	region := string(n.Region)
	var keys []string
	for _, s := range n.SecretEnvironmentVariables {
		keys = append(keys, s.Key)
	}
	address := c.resource("scaleway_function_namespace", n.Name, region, n.ID, []argument{
		{"name", quoted(n.Name)},
		{"region", quoted(region)},
		{"project_id", quoted(n.ProjectID)},
		{"description", optional(text(n.Description))},
		{"tags", list(n.Tags)},
		{"environment_variables", mapping(n.EnvironmentVariables)},
		{"secret_environment_variables", c.secretMapping(c.owner(n, n.Name, n.ID), keys)},
	})
	byID := map[string]string{}
	for _, f := range n.Functions {
		byID[f.ID] = c.function(n, f, address, code[f.ID])
	}
	for _, t := range n.Tokens {
		imported := tokenOf(t)
		expires := ""
		if !imported.ExpiresAt.IsZero() {
			expires = quoted(imported.ExpiresAt.Format(time.RFC3339))
		}
		scope := argument{"namespace_id", address + ".id"}
		if imported.FunctionID != "" {
			scope = argument{"function_id", byID[imported.FunctionID] + ".id"}
		}
		c.resource("scaleway_function_token", n.Name+"_"+imported.Description, region, t.ID, []argument{
			scope, {"description", optional(imported.Description)}, {"expires_at", expires}, {"region", quoted(region)},
		})
	}
	for _, t := range n.Triggers {
		c.trigger(n, triggerOf(t), region, byID[t.FunctionID])
	}
}

func (c *configuration) function(n *Namespace, f *Function, namespace, code string) string {
	region := string(f.Region)
	var keys []string
	for _, s := range f.SecretEnvironmentVariables {
		keys = append(keys, s.Key)
	}
	number := func(value uint32) string { return fmt.Sprint(value) }
	arguments := []argument{
		{"namespace_id", namespace + ".id"},
		{"name", quoted(f.Name)},
		{"region", quoted(region)},
		{"description", optional(text(f.Description))},
		{"tags", list(f.Tags)},
		{"runtime", quoted(string(f.Runtime))},
		{"handler", quoted(f.Handler)},
		{"privacy", quoted(string(f.Privacy))},
		{"min_scale", number(f.MinScale)},
		{"max_scale", number(f.MaxScale)},
		{"memory_limit", number(f.MemoryLimit)},
		{"timeout", fmt.Sprint(int(timeoutOf(f).Seconds()))},
		{"http_option", quoted(string(f.HTTPOption))},
		{"sandbox", quoted(string(f.Sandbox))},
		{"private_network_id", optional(text(f.PrivateNetworkID))},
		{"environment_variables", mapping(f.EnvironmentVariables)},
		{"secret_environment_variables", c.secretMapping(c.owner(n, n.Name+"/"+f.Name, f.ID), keys)},
	}
	if code != "" {
		arguments = append(arguments, argument{"zip_file", `"${path.module}/` + code + `"`}, argument{"deploy", "true"})
	}
	address := c.resource("scaleway_function", n.Name+"_"+f.Name, region, f.ID, arguments)
	for _, cron := range f.Crons {
		imported := cronOf(cron)
		c.resource("scaleway_function_cron", n.Name+"_"+f.Name+"_"+cron.Name, region, cron.ID, []argument{
			{"function_id", address + ".id"},
			{"name", optional(cron.Name)},
			{"schedule", quoted(cron.Schedule)},
			{"args", quoted(string(orObject(imported.Args)))},
			{"region", quoted(region)},
		})
	}
	for _, d := range f.Domains {
		c.resource("scaleway_function_domain", d.Hostname, region, d.ID, []argument{
			{"function_id", address + ".id"}, {"hostname", quoted(d.Hostname)}, {"region", quoted(region)},
		})
	}
	return address
}

// orObject returns an empty object for empty arguments.
func orObject(args json.RawMessage) json.RawMessage {
	if len(args) == 0 {
		return json.RawMessage("{}")
	}
	return args
}

func (c *configuration) trigger(n *Namespace, t functions.Trigger, region, address string) {
	var block strings.Builder
	switch {
	case t.SQS != nil:
		fmt.Fprintf(&block, "  sqs {\n    queue      = %s\n    project_id = %s\n    region     = %s\n  }\n", quoted(t.SQS.Queue), quoted(t.SQS.ProjectID), quoted(t.SQS.Region))
	case t.NATS != nil:
		fmt.Fprintf(&block, "  nats {\n    subject    = %s\n", quoted(t.NATS.Subject))
		if t.NATS.AccountID != "" {
			fmt.Fprintf(&block, "    account_id = %s\n", quoted(t.NATS.AccountID))
		}
		fmt.Fprintf(&block, "    project_id = %s\n    region     = %s\n  }\n", quoted(t.NATS.ProjectID), quoted(t.NATS.Region))
	default:
		fmt.Fprintf(&c.text, "# The trigger %s consumes a queue of another service, which Terraform cannot describe.\n\n", t.ID)
		return
	}
	c.resource("scaleway_function_trigger", n.Name+"_"+t.Name, region, t.ID, []argument{
		{"function_id", address + ".id"}, {"name", optional(t.Name)}, {"description", optional(t.Description)}, {"region", quoted(region)},
	}, block.String())
}

// variables returns the declaration of the secret variables, and an example of their
// values without the values.
func (c *configuration) variables() (declaration, example string) {
	if len(c.secrets) == 0 {
		return "", ""
	}
	var b strings.Builder
	b.WriteString("secrets = {\n")
	for _, owner := range slices.Sorted(maps.Keys(c.secrets)) {
		fmt.Fprintf(&b, "  %s = {\n", quoted(owner))
		for _, key := range c.secrets[owner] {
			fmt.Fprintf(&b, "    %s = \"\"\n", quoted(key))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return `variable "secrets" {
  description = "Values of secret environment variables, by NAMESPACE or NAMESPACE/FUNCTION, or by the ID if several namespaces have the name."
  type        = map(map(string))
  sensitive   = true
}
`, b.String()
}
