import { html, useState, useEffect, useSignal, region, api, own, fn, query, useData, useTitle, number, may, session } from './lib.js';
import { Card, Stat, Status, Empty, Loading, Problem, Choice, PageHead, Code, LinkButton, Time, Table, Privacy, Callout } from './ui.js';
import { Chart, Spark } from './charts.js';
import { useLive } from './live.js';
import { firstFunction } from './terraform.js';

const sum = (values) => values.reduce((a, b) => a + b, 0);

// MissingNodes says which nodes have not answered: their calls are missing in the charts.
export function MissingNodes({ series }) {
  const missing = series.missing_nodes || [];
  return missing.length ? html`<${Callout} title="Not all nodes answer"><p>The metrics of ${missing.join(', ')} are missing here.</p><//>` : null;
}

export function CallCharts({ series }) {
  return html`<${MissingNodes} series=${series} /><div class="charts"><${Card}><${Chart} title="Calls" series=${series} lines=${[{ name: 'calls', color: 'c1', values: series.calls, sum: true }, { name: 'errors', color: 'c-bad', values: series.errors, sum: true }]} /><//>
    <${Card}><${Chart} title="Cold starts" series=${series} lines=${[{ name: 'cold starts', color: 'c3', values: series.cold_starts, sum: true }]} /><//></div>`;
}

export const ranges = [{ value: 'hour', label: 'Last hour' }, { value: 'day', label: 'Last day' }];

export function Start({ namespaces }) {
  const place = useSignal(region);
  const [tool, setTool] = useState('terraform');
  const cli = `export SCW_API_URL=${location.origin}
export SCW_SECRET_KEY=...   # this API key
scw function namespace create name=demo
scw function function create name=hello runtime=node22 privacy=private namespace-id=...
scw function deploy name=hello runtime=node22 zip-file=function.zip namespace-id=...`;
  return html`<${Card} kind="start"><${Empty} icon="functions" title=${namespaces ? 'No functions in this region yet' : 'Deploy the first function'} actions=${may('write') && html`<${LinkButton} kind="primary" icon="plus" href="#/functions?create=1">Create a function<//>`}>
      <p>Create one here and drop its zip archive on the page, or use the tools that you know:</p><//>
    <div class="start-code"><${Choice} label="Tool" value=${tool} onChange=${setTool} options=${[{ value: 'terraform', label: 'Terraform' }, { value: 'scw', label: 'scw' }]} /><${Code} label=${tool === 'scw' ? 'Commands of scw' : 'Terraform configuration'} text=${tool === 'scw' ? cli : firstFunction(place)} /></div><//>`;
}

export function Overview() {
  useTitle('Overview');
  const place = useSignal(region);
  const [range, setRange] = useState('hour');
  const rows = useData(() => api('GET', own(place, '/functions') + query({ page_size: 100, order_by: 'updated_desc' })), [place]);
  const failing = useData(() => api('GET', own(place, '/functions') + query({ page_size: 5, order_by: 'updated_desc', status: 'error' })), [place]);
  const metrics = useData(() => api('GET', own(place, '/metrics') + query({ range })), [place, range]);
  const soon = useData(() => api('GET', own(place, '/tokens') + query({ expiring: true, page_size: 20 })), [place]);
  useLive((event, data) => {
    if (event === 'sample') { metrics.reload(); rows.reload(); }
    if (event === 'reset') { metrics.reload(); rows.reload(); failing.reload(); soon.reload(); }
    if (event === 'changes') {
      if (data.some((c) => c.kind === 'function' || c.kind === 'namespace')) { rows.reload(); failing.reload(); }
      if (data.some((c) => c.kind === 'token')) soon.reload();
    }
  });
  if (rows.error) return html`<${Problem} error=${rows.error} retry=${rows.reload} />`;
  if (!rows.data || !metrics.data) return html`<${PageHead} title="Overview" /><${Loading} lines=${6} />`;
  const list = rows.data;
  const counts = list.status_counts;
  const head = html`<${PageHead} title="Overview" note=${`Region ${place}`} actions=${list.total_count > 0 && html`<${Choice} label="Period" options=${ranges} value=${range} onChange=${setRange} />`} />`;
  if (list.total_count === 0) return html`${head}<${Start} namespaces=${list.namespace_count} />`;
  const m = metrics.data;
  const calls = sum(m.calls);
  const errors = sum(m.errors);
  const busiest = [...list.functions].sort((a, b) => b.calls - a.calls).slice(0, 6);
  const deploying = (counts.pending || 0) + (counts.creating || 0);
  return html`${head}
    <div class="stats">
      <${Stat} label="Functions" value=${html`<a href="#/functions">${number(list.total_count)}</a>`} note=${`in ${number(list.namespace_count)} ${list.namespace_count === 1 ? 'namespace' : 'namespaces'}`} />
      <${Stat} label="Failed" kind=${counts.error ? 'bad' : ''} value=${number(counts.error || 0)} note=${deploying ? `${deploying} deploying` : 'none deploying'} />
      <${Stat} label=${range === 'hour' ? 'Calls, last hour' : 'Calls, last day'} value=${number(calls)} note=${html`<${Spark} values=${m.calls.slice(-60)} />`} />
      <${Stat} label="Error rate" kind=${errors ? 'bad' : ''} value=${calls ? (100 * errors / calls).toFixed(errors && errors / calls < 0.001 ? 3 : 1) + ' %' : '–'} note=${`${number(errors)} of ${number(calls)} calls`} />
      <${Stat} label="Cold starts" value=${number(sum(m.cold_starts))} note=${`instances now: ${number(m.instances[m.instances.length - 1] || m.instances[m.instances.length - 2] || 0)}`} />
    </div>
    <${CallCharts} series=${m} />
    ${failing.data && failing.data.functions.length > 0 && html`<${Card} title="Needs attention" actions=${html`<a href="#/functions?status=error">All failed functions</a>`}><ul class="problems">${failing.data.functions.map((f) => html`<li key=${f.id}><div class="row"><${Status} status=${f.status} /><a href=${'#/functions/' + f.id}>${f.name}</a><span class="quiet">${f.namespace_name}</span></div><p class="mono clip">${f.state_message}</p></li>`)}</ul><//>`}
    <div class="columns"><${Card} title="Busiest functions" actions=${html`<a href="#/functions">All functions</a>`}><${Table} caption="Busiest functions of the last hour" rows=${busiest} keyOf=${(f) => f.id} columns=${[
      { title: 'Function', cell: (f) => html`<a class="strong" href=${'#/functions/' + f.id}>${f.name}</a> <span class="quiet">${f.namespace_name}</span>` },
      { title: 'State', cell: (f) => html`<${Status} status=${f.status} />` },
      { title: 'Calls', kind: 'num', cell: (f) => number(f.calls) },
      { title: 'Errors', kind: 'num', cell: (f) => html`<span class=${f.errors ? 'bad' : 'quiet'}>${number(f.errors)}</span>` },
    ]} /><//>
    <${Card} title="Tokens that expire soon" actions=${html`<a href="#/tokens?expiring=1">All</a>`}>${soon.data && soon.data.tokens.length > 0 ? html`<ul class="plain">${soon.data.tokens.slice(0, 6).map((t) => html`<li key=${t.id} class="row spread"><span class="clip">${t.description || html`<code>${t.id}</code>`}<span class="quiet"> ${t.function_name || t.namespace_name}</span></span><span class="warn-text"><${Time} value=${t.expires_at} /></span></li>`)}</ul>` : html`<p class="quiet pad">No token expires within 14 days.</p>`}<//></div>`;
}
