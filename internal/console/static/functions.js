import { html, useState, useSignal, region, route, setQuery, api, own, query, useData, useDebounced, useTitle, number, may, useEffect, useRef } from './lib.js';
import { Card, Status, Privacy, Empty, Loading, Problem, PageHead, Table, Pager, Search, Button, Time, Choice, lazy } from './ui.js';
import { useLive } from './live.js';

const size = 50;
const Start = lazy(async () => (await import('./welcome.js')).Start);
const CreateFunction = lazy(async () => (await import('./create.js')).CreateFunction);

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
