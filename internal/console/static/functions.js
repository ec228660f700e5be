import { html, useState, useSignal, region, route, setQuery, go, api, own, fn, query, useData, useDebounced, useTitle, number, may, useEffect, useRef, session, shortID } from './lib.js';
import { Card, Status, Privacy, Empty, Loading, Problem, PageHead, Table, Pager, Search, Button, FormDialog, Confirm, Time, Tabs, ID, Code, Facts, toast, Field, Choice } from './ui.js';
import { useLive } from './live.js';
import { Start, CallCharts, ranges } from './overview.js';
import { namespaceBlock } from './terraform.js';
import { Variables } from './settings.js';

const size = 50;

export const runtimesOf = () => api('GET', fn(region.value, '/runtimes'));
export const namespacesOf = async (place) => (await api('GET', fn(place, '/namespaces') + query({ page_size: 100, order_by: 'name_asc' }))).namespaces;

export function CreateFunction({ onClose, namespaceID }) {
  const place = region.value;
  const all = useData(async () => {
    const [namespaces, runtimes] = await Promise.all([namespacesOf(place), runtimesOf()]);
    return { namespaces, runtimes: runtimes.runtimes.filter((r) => r.status === 'available') };
  }, []);
  if (all.error) return html`<${Confirm} title="Create a function" action="Close" onConfirm=${onClose} onClose=${onClose}><${Problem} error=${all.error} /><//>`;
  if (!all.data) return null;
  const { namespaces, runtimes } = all.data;
  const served = runtimes.filter((r) => r.implementation);
  const usable = served.length ? served : runtimes;
  const preferred = usable.filter((r) => r.language.toLowerCase().startsWith('node')).at(-1) || usable[0];
  const options = [...namespaces.map((n) => ({ value: n.id, label: n.name })), { value: '', label: 'New namespace…' }];
  const fields = [
    { name: 'namespace', label: 'Namespace', options, value: namespaceID || (namespaces[0] ? namespaces[0].id : '') },
    { name: 'newNamespace', label: 'Name of the new namespace', value: 'main', required: true, when: (v) => v.namespace === '' },
    { name: 'name', label: 'Name', required: true, help: 'Lower-case letters, digits and hyphens.', pattern: '[a-z0-9]([\\-a-z0-9]*[a-z0-9])?', maxlength: 34, autocomplete: 'off' },
    { name: 'runtime', label: 'Runtime', options: usable.map((r) => ({ value: r.name, label: `${r.language} ${r.version} (${r.name})` })), value: preferred && preferred.name },
    { name: 'handler', label: 'Handler', help: 'Empty: the default of the runtime.' },
    { name: 'privacy', label: 'Who may call it', options: [{ value: 'private', label: 'Private: callers with a token' }, { value: 'public', label: 'Public: everyone' }], value: 'private' },
  ];
  const submit = async (v) => {
    let namespace = v.namespace;
    if (!namespace) {
      const created = await api('POST', fn(place, '/namespaces'), { name: v.newNamespace });
      namespace = created.id;
      for (let i = 0; i < 50 && (await api('GET', fn(place, '/namespaces/' + namespace))).status !== 'ready'; i++) await new Promise((done) => setTimeout(done, 150));
    }
    const f = await api('POST', fn(place, '/functions'), { namespace_id: namespace, name: v.name, runtime: v.runtime, handler: v.handler, privacy: v.privacy });
    toast(`${f.name} was created. Drop its code to deploy it.`);
    onClose();
    go('/functions/' + f.id + '/deploy');
  };
  return html`<${FormDialog} title="Create a function" action="Create" fields=${fields} onSubmit=${submit} onClose=${onClose} />`;
}

export function FunctionList({ namespaceID, empty }) {
  const place = useSignal(region);
  const { query: q } = useSignal(route);
  const [text, setText] = useState(q.get('search') || '');
  const search = useDebounced(text);
  const page = Number(q.get('page')) || 1;
  const order = q.get('order') || 'name_asc';
  const status = q.get('status') || '';
  useEffect(() => { if (search !== (q.get('search') || '')) setQuery({ search, page: '' }); }, [search]);
  useEffect(() => { if (search !== (q.get('search') || '')) setText(q.get('search') || ''); }, [q.get('search')]);
  const list = useData(() => api('GET', own(place, '/functions') + query({ search, namespace_id: namespaceID, status, order_by: order, page, page_size: size })), [place, search, namespaceID, status, order, page]);
  const [patches, setPatches] = useState({});
  const samples = useRef(0);
  useLive((event, data) => {
    if (event === 'sample') { if (++samples.current % 3 === 0) list.reload(); return; }
    if (event === 'reset') { list.reload(); return; }
    if (event !== 'changes' || !list.data) return;
    const shown = new Set(list.data.functions.map((f) => f.id));
    const mine = data.filter((c) => c.kind === 'function' && (!namespaceID || c.namespace_id === namespaceID));
    if (mine.some((c) => c.deleted || !shown.has(c.id))) list.reload();
    const patched = mine.filter((c) => shown.has(c.id) && !c.deleted);
    if (patched.length) setPatches((p) => Object.fromEntries([...Object.entries(p), ...patched.map((c) => [c.id, c])].slice(-2 * size)));
  });
  if (list.error) return html`<${Problem} error=${list.error} retry=${list.reload} />`;
  if (!list.data) return html`<${Loading} lines=${8} />`;
  const filtered = search || status;
  if (list.data.total_count === 0 && !filtered) return empty || html`<${Start} namespaces=${list.data.namespace_count} />`;
  const rows = list.data.functions.map((f) => (patches[f.id] ? { ...f, status: patches[f.id].status, state_message: patches[f.id].state_message } : f));
  const counts = list.data.status_counts;
  return html`<div class="filters"><${Search} label="Search functions" placeholder="Name, namespace, runtime, hostname or ID" value=${text} onInput=${setText} />
      <${Choice} label="State" value=${status} onChange=${(v) => setQuery({ status: v, page: '' })} options=${[{ value: '', label: 'All' }, { value: 'ready', label: `Ready${namespaceID ? '' : ' ' + number(counts.ready || 0)}` }, { value: 'error', label: `Failed${namespaceID ? '' : ' ' + number(counts.error || 0)}` }, { value: 'pending', label: 'Deploying' }]} /></div>
    ${rows.length === 0 ? html`<${Card}><${Empty} icon="search" title="No function matches" actions=${html`<${Button} onClick=${() => { setText(''); setQuery({ status: '', search: '' }); }}>Clear the filters<//>`}><p>Search by a part of the name, the namespace, the runtime or the hostname.</p><//><//>`
    : html`<${Card}><${Table} caption="Functions" rows=${rows} keyOf=${(f) => f.id} order=${order} onSort=${(o) => setQuery({ order: o, page: '' })} columns=${[
      { title: 'Function', sort: 'name', kind: 'main', cell: (f) => html`<a class="strong" href=${'#/functions/' + f.id}>${f.name}</a>${f.state_message && html`<span class="sub clip" title=${f.state_message}>${f.state_message}</span>`}` },
      { title: 'State', sort: 'status', cell: (f) => html`<${Status} status=${f.status} />` },
      !namespaceID && { title: 'Namespace', sort: 'namespace', cell: (f) => html`<a class="plain-link" href=${'#/namespaces/' + f.namespace_id}>${f.namespace_name}</a>` },
      { title: 'Runtime', sort: 'runtime', cell: (f) => html`<code>${f.runtime}</code>` },
      { title: 'Privacy', cell: (f) => html`<${Privacy} value=${f.privacy} />` },
      { title: 'Calls, 1 h', kind: 'num', cell: (f) => number(f.calls) },
      { title: 'Errors', kind: 'num', cell: (f) => html`<span class=${f.errors ? 'bad' : 'quiet'}>${number(f.errors)}</span>` },
      { title: 'Instances', kind: 'num', cell: (f) => html`<span class=${f.instances ? '' : 'quiet'}>${f.instances}</span>` },
      { title: 'Changed', sort: 'updated', kind: 'num', cell: (f) => html`<${Time} value=${f.updated_at} />` },
    ].filter(Boolean)} /><${Pager} page=${page} size=${size} total=${list.data.total_count} shown=${rows.length} onPage=${(p) => setQuery({ page: p === 1 ? '' : p })} /><//>`}`;
}

export function Functions() {
  useTitle('Functions');
  const { query: q } = useSignal(route);
  const creating = q.get('create') === '1';
  return html`<${PageHead} title="Functions" actions=${may('write') && html`<${Button} kind="primary" icon="plus" onClick=${() => setQuery({ create: '1' })}>Create function<//>`} />
    <${FunctionList} />${creating && html`<${CreateFunction} onClose=${() => setQuery({ create: '' })} />`}`;
}

export function Namespaces() {
  useTitle('Namespaces');
  const place = useSignal(region);
  const { query: q } = useSignal(route);
  const page = Number(q.get('page')) || 1;
  const [creating, setCreating] = useState(false);
  const list = useData(() => api('GET', fn(place, '/namespaces') + query({ page, page_size: size, order_by: 'name_asc' })), [place, page]);
  const projects = useData(() => api('GET', '/account/v3/projects?page_size=100'), []);
  useLive((event, data) => { if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'namespace'))) list.reload(); });
  const projectName = (id) => { const p = projects.data && projects.data.projects.find((x) => x.id === id); return p ? p.name : shortID(id); };
  const create = async (v) => {
    const n = await api('POST', fn(place, '/namespaces'), { name: v.name, description: v.description, project_id: v.project_id });
    setCreating(false);
    toast(`Namespace ${n.name} was created.`);
    go('/namespaces/' + n.id);
  };
  const open = may('write') && html`<${Button} kind="primary" icon="plus" onClick=${() => setCreating(true)}>Create namespace<//>`;
  return html`<${PageHead} title="Namespaces" note="Groups of functions of one project. Each has a key pair that signs its tokens, and variables for its functions." actions=${open} />
    ${list.error ? html`<${Problem} error=${list.error} retry=${list.reload} />` : !list.data ? html`<${Loading} />` : list.data.total_count === 0
    ? html`<${Card}><${Empty} icon="namespaces" title="No namespaces in this region" actions=${open}><p>A function belongs to a namespace. Create one here, or with Terraform:</p><${Code} text=${`resource "scaleway_function_namespace" "main" {\n  name   = "main"\n  region = "${place}"\n}\n`} /><//><//>`
    : html`<${Card}><${Table} caption="Namespaces" rows=${list.data.namespaces} keyOf=${(n) => n.id} columns=${[
      { title: 'Namespace', kind: 'main', cell: (n) => html`<a class="strong" href=${'#/namespaces/' + n.id}>${n.name}</a>${n.description && html`<span class="sub clip">${n.description}</span>`}` },
      { title: 'State', cell: (n) => html`<${Status} status=${n.status} text=${n.status === 'pending' ? 'Pending' : undefined} />` },
      { title: 'Project', cell: (n) => projectName(n.project_id) },
      { title: 'ID', cell: (n) => html`<${ID} value=${n.id} />` },
      { title: 'Created', kind: 'num', cell: (n) => html`<${Time} value=${n.created_at} />` },
    ]} /><${Pager} page=${page} size=${size} total=${list.data.total_count} shown=${list.data.namespaces.length} onPage=${(p) => setQuery({ page: p })} /><//>`}
    ${creating && html`<${FormDialog} title="Create a namespace" action="Create" onClose=${() => setCreating(false)} onSubmit=${create} fields=${[
      { name: 'name', label: 'Name', required: true, autocomplete: 'off' }, { name: 'description', label: 'Description' },
      { name: 'project_id', label: 'Project', value: session.value.default_project_id, options: (projects.data ? projects.data.projects : []).map((p) => ({ value: p.id, label: p.name })) },
    ]} />`}`;
}

export function NamespacePage({ id, tab }) {
  const place = useSignal(region);
  const [range, setRange] = useState('hour');
  const [removing, setRemoving] = useState(false);
  const [creating, setCreating] = useState(false);
  const n = useData(() => api('GET', fn(place, '/namespaces/' + id)), [place, id]);
  const metrics = useData(() => api('GET', own(place, '/metrics') + query({ namespace_id: id, range })), [place, id, range]);
  useLive((event, data) => {
    if (event === 'sample') metrics.reload();
    if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'namespace' && c.id === id))) n.reload();
  });
  useTitle(n.data && n.data.name);
  if (n.error) return html`<${PageHead} title="Namespace" crumbs=${[{ text: 'Namespaces', href: '#/namespaces' }]} /><${Problem} error=${n.error} />`;
  if (!n.data) return html`<${Loading} lines=${6} />`;
  const item = n.data;
  const remove = async () => {
    await api('DELETE', fn(place, '/namespaces/' + id));
    toast(`Namespace ${item.name} is being deleted. Its tokens are denied from now on.`);
    go('/namespaces');
  };
  return html`<${PageHead} title=${item.name} crumbs=${[{ text: 'Namespaces', href: '#/namespaces' }, { text: item.name }]} status=${html`<${Status} status=${item.status} text=${item.status === 'pending' ? 'Pending' : undefined} />`} note=${item.description}
      actions=${may('write') && html`<${Button} kind="primary" icon="plus" onClick=${() => setCreating(true)}>Create function<//><${Button} icon="trash" kind="quiet-danger" onClick=${() => setRemoving(true)}>Delete<//>`} />
    <${Tabs} active=${tab} href=${(t) => `#/namespaces/${id}/${t}`} tabs=${[{ id: 'functions', title: 'Functions' }, { id: 'metrics', title: 'Metrics' }, { id: 'settings', title: 'Settings' }, { id: 'terraform', title: 'As Terraform' }]} />
    ${tab === 'functions' && html`<${FunctionList} namespaceID=${id} empty=${html`<${Card}><${Empty} icon="functions" title="No functions in this namespace" actions=${may('write') && html`<${Button} kind="primary" icon="plus" onClick=${() => setCreating(true)}>Create a function<//>`}><p>Create one here, or with Terraform:</p><${Code} text=${`resource "scaleway_function" "hello" {\n  namespace_id = "${place}/${id}"\n  name         = "hello"\n  runtime      = "node22"\n  handler      = "handler.handle"\n  privacy      = "private"\n  zip_file     = "function.zip"\n  deploy       = true\n}\n`} /><//><//>`} />`}
    ${tab === 'metrics' && html`<div class="row end"><${Choice} label="Period" options=${ranges} value=${range} onChange=${setRange} /></div>${metrics.data ? html`<${CallCharts} series=${metrics.data} />` : html`<${Loading} />`}`}
    ${tab === 'settings' && html`<${Card} title="Namespace"><${Facts} items=${[['ID', html`<${ID} value=${item.id} />`], ['Project', html`<${ID} value=${item.project_id} />`], ['Region', item.region], ['Created', html`<${Time} value=${item.created_at} />`]]} /><//><${Variables} item=${item} path=${fn(place, '/namespaces/' + id)} onSaved=${n.reload} note="Variables of all functions of the namespace. A change deploys them again." />`}
    ${tab === 'terraform' && html`<${Card} title="As Terraform"><p class="pad-x quiet">With the import block, <code>terraform plan</code> takes over the existing namespace without a change.</p><${Code} text=${namespaceBlock(item)} /><//>`}
    ${creating && html`<${CreateFunction} namespaceID=${id} onClose=${() => setCreating(false)} />`}
    ${removing && html`<${Confirm} title="Delete the namespace" action="Delete" word=${item.name} onClose=${() => setRemoving(false)} onConfirm=${remove}><p>All functions, tokens, crons, triggers and domains of <strong>${item.name}</strong> are deleted. Calls are denied at once.</p><//>`}`;
}
