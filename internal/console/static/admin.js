import { html, useState, useSignal, route, setQuery, api, query, useData, useTitle, useDebounced, session, bytes, exact, date, may } from './lib.js';
import { Status, Card, Button, Table, Pager, Empty, Problem, Loading, PageHead, Time, ID, Code, FormDialog, Confirm, Facts, Stat, toast, Field, Choice, Callout } from './ui.js';
import { useLive } from './live.js';

export function Projects() {
  useTitle('Projects');
  const { query: q } = useSignal(route);
  const page = Number(q.get('page')) || 1;
  const [editing, setEditing] = useState(null);
  const [removing, setRemoving] = useState(null);
  const list = useData(() => api('GET', '/account/v3/projects' + query({ page, page_size: 50, order_by: 'name_asc' })), [page]);
  useLive((event, data) => { if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'project'))) list.reload(); });
  const manages = session.value.organization && may('write');
  const save = async (v) => {
    if (editing.id) await api('PATCH', '/account/v3/projects/' + editing.id, { name: v.name, description: v.description });
    else await api('POST', '/account/v3/projects', { name: v.name, description: v.description, organization_id: session.value.organization_id });
    setEditing(null);
    toast(`Project ${v.name} was saved.`);
    list.reload();
  };
  return html`<${PageHead} title="Projects" note="A project owns namespaces. An API key covers one or more projects." actions=${manages && html`<${Button} kind="primary" icon="plus" onClick=${() => setEditing({ name: '', description: '' })}>Create project<//>`} />
    ${list.error ? html`<${Problem} error=${list.error} retry=${list.reload} />` : !list.data ? html`<${Loading} />` : html`<${Card}><${Table} caption="Projects" rows=${list.data.projects} keyOf=${(p) => p.id} columns=${[
      { title: 'Project', kind: 'main', cell: (p) => html`<strong>${p.name}</strong>${p.id === session.value.default_project_id ? html` <span class="tag">default of this key</span>` : ''}${p.description && html`<span class="sub">${p.description}</span>`}` },
      { title: 'ID', cell: (p) => html`<${ID} value=${p.id} />` }, { title: 'Created', cell: (p) => html`<${Time} value=${p.created_at} />` },
      manages && { title: 'Actions', hidden: true, kind: 'num', cell: (p) => html`<div class="row end"><${Button} kind="small" label=${`Edit ${p.name}`} onClick=${() => setEditing(p)}>Edit<//><${Button} kind="small quiet-danger" label=${`Delete ${p.name}`} onClick=${() => setRemoving(p)}>Delete<//></div>` },
    ].filter(Boolean)} /><${Pager} page=${page} size=${50} total=${list.data.total_count} shown=${list.data.projects.length} onPage=${(p) => setQuery({ page: p })} /><//>`}
    ${editing && html`<${FormDialog} title=${editing.id ? 'Edit the project' : 'Create a project'} action="Save" initial=${{ name: editing.name, description: editing.description }} fields=${[{ name: 'name', label: 'Name', required: true }, { name: 'description', label: 'Description' }]} onSubmit=${save} onClose=${() => setEditing(null)} />`}
    ${removing && html`<${Confirm} title="Delete the project" action="Delete" onClose=${() => setRemoving(null)} onConfirm=${async () => { await api('DELETE', '/account/v3/projects/' + removing.id); toast(`Project ${removing.name} was deleted.`); setRemoving(null); list.reload(); }}><p>Delete <strong>${removing.name}</strong>? It must be empty, and no API key may have it as its default project.</p><//>`}`;
}

const periods = [{ value: '1h', label: '1 hour' }, { value: '24h', label: '1 day' }, { value: '168h', label: '7 days' }, { value: '8760h', label: 'All' }];

export function Audit() {
  useTitle('Audit log');
  const { query: q } = useSignal(route);
  const get = (name) => q.get(name) || '';
  const page = Number(get('page')) || 1;
  const since = get('since') || '24h';
  const [endpoint, setEndpoint] = useState(get('endpoint'));
  const [object, setObject] = useState(get('object'));
  const [key, setKey] = useState(get('key'));
  const [from, setFrom] = useState(get('from'));
  const filter = useDebounced(JSON.stringify({ audit_endpoint: endpoint.trim(), object: object.trim(), access_key: key.trim(), from: from.trim() }), 350);
  const refused = get('refused') === '1';
  const list = useData(() => api('GET', '/jeton/v1/audit' + query({ ...JSON.parse(filter), since, refused, page, page_size: 50 })), [filter, since, refused, page]);
  const pick = (set) => (value) => html`<button type="button" class="cell-filter mono" title="Filter by this value" onClick=${() => { set(value); setQuery({ page: '' }); }}>${value}</button>`;
  return html`<${PageHead} title="Audit log" note="Changes of the control plane and refused requests, newest first." actions=${html`<${Button} onClick=${list.reload}>Refresh<//>`} />
    <${Card}><div class="filter-grid pad"><${Field} label="Endpoint" value=${endpoint} onInput=${setEndpoint} placeholder="DELETE, tokens, …" /><${Field} label="Object ID" value=${object} onInput=${setObject} /><${Field} label="Access key" value=${key} onInput=${setKey} placeholder="SCW…" /><${Field} label="Address" value=${from} onInput=${setFrom} /></div>
      <div class="row wrap pad-x gap-below"><${Choice} label="Period" options=${periods} value=${since} onChange=${(v) => setQuery({ since: v, page: '' })} /><${Choice} label="Result" options=${[{ value: '', label: 'All' }, { value: '1', label: 'Refused only' }]} value=${refused ? '1' : ''} onChange=${(v) => setQuery({ refused: v, page: '' })} /></div>
    ${list.error ? html`<${Problem} error=${list.error} retry=${list.reload} />` : !list.data ? html`<${Loading} lines=${8} />` : list.data.entries.length === 0 ? html`<${Empty} icon="audit" title="No entry matches"><p>The log on the command line:</p><${Code} text="jeton audit --since 24h" /><//>`
    : html`<${Table} caption="Entries of the audit log" rows=${list.data.entries.map((e, i) => ({ ...e, n: i }))} keyOf=${(e) => e.request_id + e.n} columns=${[
      { title: 'Time', cell: (e) => html`<time datetime=${e.at} title=${e.request_id}>${new Date(e.at).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' })}</time>` },
      { title: 'Endpoint', kind: 'main', cell: (e) => html`<code>${e.audit_endpoint.replace('/functions/v1beta1/regions/{region}', '').replace('/jeton/v1/regions/{region}', '')}</code>` },
      { title: 'Status', cell: (e) => html`<span class=${'code-status ' + (e.status_code < 300 ? 'good' : e.status_code < 500 ? 'warn' : 'bad')}>${e.status_code}</span>` },
      { title: 'Object', cell: (e) => (e.object ? pick(setObject)(e.object) : html`<span class="quiet">–</span>`) },
      { title: 'Access key', cell: (e) => (e.access_key ? pick(setKey)(e.access_key) : html`<span class="quiet">–</span>`) },
      { title: 'From', cell: (e) => (e.from ? pick(setFrom)(e.from) : '–') },
    ]} /><${Pager} page=${page} size=${50} total=${-1} more=${list.data.more} shown=${list.data.entries.length} onPage=${(p) => setQuery({ page: p === 1 ? '' : p })} />`}<//>`;
}

export function Server() {
  useTitle('Server');
  const { query: q } = useSignal(route);
  const state = useData(() => api('GET', '/jeton/v1/state'), []);
  useLive((event) => { if (event === 'sample' || event === 'reset') state.reload(); });
  if (state.error) return html`<${PageHead} title="Server" /><${Problem} error=${state.error} retry=${state.reload} />`;
  if (!state.data) return html`<${PageHead} title="Server" /><${Loading} lines=${6} />`;
  const nodes = state.data.nodes || [];
  if (nodes.length < 2) return html`<${PageHead} title="Server" /><${ServerView} s=${state.data} />`;
  const chosen = nodes.find((n) => n.node_name === q.get('node')) || nodes.find((n) => n.self);
  const kind = (n) => (n.node_problem ? ['error', 'No answer'] : n.draining ? ['pending', 'Draining'] : n.cordoned ? ['pending', 'Cordoned'] : ['ready', 'Member']);
  return html`<${PageHead} title="Server" note=${`A cluster of ${nodes.length} nodes, which share the database.`} />
    <${Card} title="Nodes"><${Table} caption="Nodes" rows=${nodes} keyOf=${(n) => n.node_name} columns=${[
      { title: 'Node', kind: 'main', cell: (n) => html`<button type="button" class="cell-filter" aria-pressed=${n === chosen ? 'true' : 'false'} onClick=${() => setQuery({ node: n.node_name })}><strong>${n.node_name}</strong></button>${n.self ? html` <span class="tag">this page</span>` : ''}${n.node_problem && html`<span class="sub">${n.node_problem}</span>`}` },
      { title: 'State', cell: (n) => html`<${Status} status=${kind(n)[0]} text=${kind(n)[1]} />` }, { title: 'Version', cell: (n) => n.version || 'dev' },
      { title: 'Isolation', cell: (n) => (n.node_state ? n.node_state.isolation : '–') }, { title: 'Changes', kind: 'num', cell: (n) => (n.node_state ? `${exact(n.node_state.changes)}${n.node_state.changes_behind ? `, ${n.node_state.changes_behind} behind` : ''}` : '–') },
      { title: 'Started', kind: 'num', cell: (n) => (n.node_state ? html`<${Time} value=${n.node_state.started_at} />` : '–') },
    ]} /><//>
    <h2 class="section">${chosen.node_name}</h2>${chosen.node_state ? html`<${ServerView} s=${chosen.node_state} />` : html`<${Problem} error=${new Error(chosen.node_problem)} />`}`;
}

function ServerView({ s }) {
  const weak = s.isolation !== 'full';
  return html`
    ${weak && html`<${Callout} title=${`The isolation level is ${s.isolation}`}><p>Functions are not fully isolated from each other and from the server. Run it as root on Linux for the level full.</p><//>`}
    <div class="stats"><${Stat} label="Version" value=${s.version || 'dev'} note=${html`started <${Time} value=${s.started_at} />`} /><${Stat} label="Isolation" kind=${weak ? 'warn' : ''} value=${s.isolation} note=${s.egress ? 'outbound network allowed' : 'no outbound network'} />
      <${Stat} label="Memory for instances" value=${s.memory_budget_bytes ? bytes(s.memory_budget_bytes) : 'no limit'} note="budget of all instances" /><${Stat} label="Warm pool" value=${exact(s.warm_pool.reduce((n, w) => n + w.count, 0))} note=${bytes(s.warm_pool_memory_bytes)} /><${Stat} label="Changes" value=${exact(s.changes)} note=${s.changes_behind ? `${s.changes_behind} not applied` : 'all applied'} kind=${s.changes_behind ? 'warn' : ''} /></div>
    <div class="columns"><${Card} title="Toolchains"><${Table} caption="Toolchains" rows=${s.toolchains} keyOf=${(t) => t.language} columns=${[{ title: 'Language', kind: 'main', cell: (t) => html`<strong>${t.language}</strong>` }, { title: 'Toolchain', cell: (t) => (t.toolchain ? html`<code>${t.toolchain}</code>` : html`<span class="bad">${t.problem}</span>`) }]} /><//>
      <${Card} title="Warm pool">${s.warm_pool.length ? html`<${Table} caption="Warm pool" rows=${s.warm_pool} keyOf=${(w) => w.pool_kind} columns=${[{ title: 'Kind', kind: 'main', cell: (w) => w.pool_kind }, { title: 'Sandboxes', kind: 'num', cell: (w) => exact(w.count) }]} />` : html`<p class="quiet pad">No warm sandboxes. They exist at the isolation level full, while functions are deployed.</p>`}<//></div>
    <${Card} title="Addresses and storage"><${Facts} items=${[['API', html`<code>${s.api_address}</code>`], ['Gateway', html`<code>${s.gateway_address}</code>`], ['Domain of functions', html`<code>${s.function_domain}</code>`], ['Database', s.database], ['Code and artifacts', s.blobs], ['Open streams of consoles', exact(s.streams)]]} /><//>
    <${Card} title="Certificates">${s.certificates.length ? html`<${Table} caption="Certificates" rows=${s.certificates.map((c, n) => ({ ...c, n }))} keyOf=${(c) => c.source + c.n} columns=${[{ title: 'Names', kind: 'main', cell: (c) => c.hostnames.join(', ') }, { title: 'Source', cell: (c) => c.source }, { title: 'Valid until', cell: (c) => html`${new Date(c.not_after) - Date.now() < 7 * 86400000 ? html`<span class="tag warn">soon</span> ` : ''}${date(c.not_after)}` }]} />${s.certificate_count > s.certificates.length ? html`<p class="quiet pad">${exact(s.certificate_count - s.certificates.length)} more, which are valid longer.</p>` : ''}` : html`<p class="quiet pad">There is no certificate yet. <code>--gateway-tls-listen</code> opens a TLS port; with <code>--acme-directory</code>, a certificate is obtained with the first connection to a hostname.</p>`}<//>`;
}
