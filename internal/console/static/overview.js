import { html, useState, useSignal, region, api, own, query, useData, useTitle, number } from './lib.js';
import { Card, Stat, Status, Loading, Problem, Choice, PageHead, Time, Table, lazy } from './ui.js';
import { useLive } from './live.js';
import { Spark, CallCharts, ranges } from './charts.js';

const Start = lazy(async () => (await import('./welcome.js')).Start);
const sum = (values) => values.reduce((a, b) => a + b, 0);

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
