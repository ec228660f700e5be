// Terraform blocks of objects, each with its import block.

// text returns a string of the configuration language. Two sequences would start a
// template.
const text = (s) => JSON.stringify(String(s ?? '')).replace(/\\[bf]/g, (c) => (c === '\\b' ? '\\u0008' : '\\u000c')).replace(/\$\{/g, () => '$${').replace(/%\{/g, '%%{');
const label = (name) => (String(name || 'this').toLowerCase().replace(/[^a-z0-9_]+/g, '_').replace(/^[^a-z_]/, '_$&').replace(/_+$/, '') || 'this').slice(0, 60);

function value(v, indent) {
  if (v === null || v === undefined) return 'null';
  if (typeof v === 'number' || typeof v === 'boolean') return String(v);
  if (Array.isArray(v)) return '[' + v.map((x) => value(x, indent)).join(', ') + ']';
  if (v instanceof Raw) return v.code;
  if (typeof v === 'object') {
    const inner = Object.entries(v).map(([k, x]) => `${indent}  ${/^[A-Za-z_][A-Za-z0-9_]*$/.test(k) ? k : text(k)} = ${value(x, indent + '  ')}`);
    return inner.length ? `{\n${inner.join('\n')}\n${indent}}` : '{}';
  }
  return text(v);
}

class Raw { constructor(code) { this.code = code; } }
class Block { constructor(attributes) { this.attributes = attributes; } }

function attributes(all, indent) {
  const entries = Object.entries(all).filter(([, v]) => v !== undefined && v !== '' && !(Array.isArray(v) && !v.length) && !(v && v.constructor === Object && !Object.keys(v).length));
  const plain = entries.filter(([, v]) => !(v instanceof Block));
  const longest = Math.max(0, ...plain.map(([k]) => k.length));
  const lines = plain.map(([k, v]) => `${indent}${k.padEnd(longest)} = ${value(v, indent)}`);
  for (const [k, v] of entries) if (v instanceof Block) lines.push('', `${indent}${k} {`, ...attributes(v.attributes, indent + '  '), `${indent}}`);
  return lines;
}

function block(type, name, id, all, note = []) {
  return [`import {`, `  to = ${type}.${name}`, `  id = ${text(id)}`, `}`, ``, `resource "${type}" "${name}" {`, ...note.map((n) => '  # ' + n), ...attributes(all, '  '), `}`, ``].join('\n');
}

export function namespaceBlock(n) {
  const secrets = (n.secret_environment_variables || []).map((s) => s.key);
  return block('scaleway_function_namespace', label(n.name), `${n.region}/${n.id}`, {
    name: n.name, description: n.description, tags: n.tags, project_id: n.project_id, region: n.region, environment_variables: n.environment_variables,
    secret_environment_variables: Object.fromEntries(secrets.map((k) => [k, new Raw('var.' + label(k))])),
  });
}

export function functionBlock(f) {
  const secrets = (f.secret_environment_variables || []).map((s) => s.key);
  return block('scaleway_function', label(f.name), `${f.region}/${f.id}`, {
    name: f.name, namespace_id: `${f.region}/${f.namespace_id}`, runtime: f.runtime, handler: f.handler, privacy: f.privacy, description: f.description, tags: f.tags,
    min_scale: f.min_scale, max_scale: f.max_scale, memory_limit: f.memory_limit, timeout: parseFloat(f.timeout), http_option: f.http_option, sandbox: f.sandbox,
    environment_variables: f.environment_variables,
    secret_environment_variables: Object.fromEntries(secrets.map((k) => [k, new Raw('var.' + label(k))])),
  }, ['zip_file = "function.zip" # to manage the code, too', 'deploy   = true']);
}

export function tokenBlock(t, region) {
  return block('scaleway_function_token', label(t.description || 'token_' + t.id.slice(0, 8)), `${region}/${t.id}`, {
    function_id: t.function_id ? `${region}/${t.function_id}` : undefined, namespace_id: t.namespace_id && !t.function_id ? `${region}/${t.namespace_id}` : undefined,
    description: t.description, expires_at: t.expires_at || undefined,
  });
}

export function cronBlock(c, region) {
  return block('scaleway_function_cron', label(c.name || 'cron_' + c.id.slice(0, 8)), `${region}/${c.id}`, {
    function_id: `${region}/${c.function_id}`, name: c.name, schedule: c.schedule, args: new Raw(`jsonencode(${value(c.args || {}, '  ')})`),
  });
}

export function domainBlock(d, region) {
  return block('scaleway_function_domain', label(d.hostname), `${region}/${d.id}`, { function_id: `${region}/${d.function_id}`, hostname: d.hostname });
}

export function triggerBlock(t, region) {
  const all = { function_id: `${region}/${t.function_id}`, name: t.name, description: t.description };
  if (t.scw_sqs_config) all.sqs = new Block({ project_id: t.scw_sqs_config.mnq_project_id, queue: t.scw_sqs_config.queue, region: t.scw_sqs_config.mnq_region });
  if (t.scw_nats_config) all.nats = new Block({ account_id: t.scw_nats_config.mnq_nats_account_id, subject: t.scw_nats_config.subject, project_id: t.scw_nats_config.mnq_project_id, region: t.scw_nats_config.mnq_region });
  return block('scaleway_function_trigger', label(t.name), `${region}/${t.id}`, all, t.sqs_config ? ['Triggers of other SQS services exist in the API only.'] : []);
}

export const firstFunction = (region) => `resource "scaleway_function_namespace" "main" {
  name   = "demo"
  region = ${text(region)}
}

resource "scaleway_function" "hello" {
  namespace_id = scaleway_function_namespace.main.id
  name         = "hello"
  runtime      = "node22"
  handler      = "handler.handle"
  privacy      = "private"
  zip_file     = "function.zip"
  deploy       = true
}
`;
