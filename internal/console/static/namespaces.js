import { useSignal, session, region, may, api, fn, own, query, useData, route, go, setQuery, shortID, useTitle, html, useState } from './lib.js';
import { Button, Status, Time, ID, Card, Empty, Loading, Problem, Code, toast, Confirm, FormDialog, Table, Pager, Tabs, Choice, PageHead, Facts } from './ui.js';
import { useLive } from './live.js';
import { CallCharts, ranges } from './charts.js';
import { namespaceBlock } from './terraform.js';
import { Variables } from './settings.js';
import { CreateFunction } from './create.js';
import { FunctionList } from './functions.js';

const size = 50;

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
