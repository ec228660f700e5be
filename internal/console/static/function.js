import { html, useState, useLayoutEffect, useRef, useSignal, region, api, fn, own, query, useData, useTitle, functionURL, may, seconds, bytes, number } from './lib.js';
import { Card, Stat, Status, Privacy, Loading, Problem, PageHead, Tabs, Choice, Copy, Callout, Code, Facts, Time, LinkButton, Empty } from './ui.js';
import { useLive } from './live.js';
import { Chart, MissingNodes, ranges } from './charts.js';
import { functionBlock } from './terraform.js';
import { Settings } from './settings.js';
import { TokenList } from './tokens.js';
import { Logs, useLog } from './logs.js';
import { Call } from './call.js';
import { Deploy, Deployments } from './deploy.js';
import { Events } from './attached.js';

const sum = (values) => values.reduce((a, b) => a + b, 0);
const last = (values) => values[values.length - 1] || values[values.length - 2] || 0;

export function FunctionPage({ id, tab }) {
  const place = useSignal(region);
  const f = useData(() => api('GET', fn(place, '/functions/' + id)), [place, id]);
  const deployments = useData(() => api('GET', own(place, `/functions/${id}/deployments`)), [place, id]);
  const namespaceID = f.data && f.data.namespace_id;
  const namespace = useData(() => (namespaceID ? api('GET', fn(place, '/namespaces/' + namespaceID)) : Promise.resolve(null)), [place, namespaceID]);
  const reload = () => { f.reload(); deployments.reload(); };
  useLive((event, data) => {
    if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'function' && c.id === id))) reload();
  });
  useTitle(f.data && f.data.name);
  // The link to a section may disappear with the section that has it. The focus continues
  // in the new section.
  const section = useRef(null);
  useLayoutEffect(() => { if (section.current && document.activeElement === document.body) section.current.focus({ preventScroll: true }); }, [tab]);
  const crumbs = [{ text: 'Functions', href: '#/functions' }];
  if (f.error) return html`<${PageHead} title="Function" crumbs=${crumbs} /><${Problem} error=${f.error} />`;
  if (!f.data) return html`<${Loading} lines=${8} />`;
  const item = f.data;
  const url = functionURL(item);
  if (namespace.data) crumbs.push({ text: namespace.data.name, href: '#/namespaces/' + item.namespace_id });
  crumbs.push({ text: item.name });
  const views = {
    overview: () => html`<${View} f=${item} deployments=${deployments} />`,
    call: () => html`<${Call} f=${item} />`,
    logs: () => html`<${Logs} f=${item} />`,
    deploy: () => html`<${Deploy} f=${item} deployments=${deployments} reload=${reload} />`,
    tokens: () => html`<${TokenList} functionID=${id} />`,
    events: () => html`<${Events} f=${item} />`,
    settings: () => html`<${Settings} key=${item.updated_at} f=${item} onSaved=${f.reload} />`,
    terraform: () => html`<${Card} title="As Terraform"><p class="pad-x quiet">With the import block, <code>terraform plan</code> takes over the existing function without a change. Values of secret variables are not stored in clear: give them as variables.</p><${Code} text=${functionBlock(item)} /><//>`,
  };
  return html`<${PageHead} title=${item.name} crumbs=${crumbs} status=${html`<${Status} status=${item.status} />`}
      note=${html`<span class="url"><${Privacy} value=${item.privacy} /><code class="clip" title=${url}>${url}</code><${Copy} text=${url} label="Copy URL" /></span>`}
      actions=${tab !== 'call' && may('call') && html`<${LinkButton} kind="primary" icon="play" href=${`#/functions/${id}/call`}>Call<//>`} />
    <${Tabs} active=${tab} href=${(t) => `#/functions/${id}/${t}`} tabs=${[{ id: 'overview', title: 'Overview' }, { id: 'call', title: 'Call' }, { id: 'logs', title: 'Log' }, { id: 'deploy', title: 'Deploy' }, { id: 'tokens', title: 'Tokens' }, { id: 'events', title: 'Events' }, { id: 'settings', title: 'Settings' }, { id: 'terraform', title: 'As Terraform' }]} />
    <div id="section" ref=${section} tabindex="-1">${(views[tab] || views.overview)()}</div>`;
}

// Excerpt shows the last lines of the log next to an error.
function Excerpt({ f }) {
  const log = useLog(f.id);
  const lines = log.lines.slice(-8);
  if (lines.length === 0) return null;
  return html`<pre class="excerpt" tabindex="0" role="region" aria-label="Last lines of the log">${lines.map((l) => l.message + '\n').join('')}</pre>`;
}

function View({ f, deployments }) {
  const place = region.value;
  const [range, setRange] = useState('hour');
  const metrics = useData(() => api('GET', own(place, '/metrics') + query({ function_id: f.id, range })), [f.id, range]);
  useLive((event) => { if (event === 'sample' || event === 'reset') metrics.reload(); });
  const m = metrics.data;
  const calls = m ? sum(m.calls) : 0;
  const d = deployments.data;
  return html`${f.status === 'error' && html`<${Callout} kind="error" title="The last deployment failed"><p class="mono">${f.error_message}</p><${Excerpt} f=${f} /><p><a href=${`#/functions/${f.id}/deploy`}>Build log and deployments</a> · <a href=${`#/functions/${f.id}/logs`}>Log</a></p>${d && d.serving && html`<p>The previous version continues to serve calls.</p>`}<//>`}
    ${f.status === 'created' && html`<${Card}><${Empty} icon="up" title="The function has no code yet" actions=${may('write') && html`<${LinkButton} kind="primary" icon="up" href=${`#/functions/${f.id}/deploy`}>Deploy code<//>`}><p>Drop a zip archive on the page Deploy, or use a tool:</p><${Code} text=${`zip -r function.zip .\nscw function deploy name=${f.name} runtime=${f.runtime} namespace-id=${f.namespace_id} zip-file=function.zip region=${place}`} /><//><//>`}
    ${f.status === 'pending' && html`<${Callout} title="A deployment is in progress"><p>${f.build_message || 'The code is being prepared.'} <a href=${`#/functions/${f.id}/deploy`}>Watch it</a></p><//>`}
    ${f.runtime_message && html`<${Callout} title="Runtime"><p>${f.runtime_message}</p><//>`}
    ${metrics.error && html`<${Problem} error=${metrics.error} retry=${metrics.reload} />`}
    ${m && html`<div class="row spread"><h2 class="section">Metrics</h2><${Choice} label="Period" options=${ranges} value=${range} onChange=${setRange} /></div>
    <div class="stats"><${Stat} label="Calls" value=${number(calls)} note=${`${rate(calls, range)} per second, ${number(sum(m.errors))} errors`} kind=${sum(m.errors) ? 'bad' : ''} />
      <${Stat} label="p50" value=${calls ? seconds(lastWith(m.p50_seconds)) : '–'} note="latest step with calls" /><${Stat} label="p99" value=${calls ? seconds(lastWith(m.p99_seconds)) : '–'} note="latest step with calls" />
      <${Stat} label="Instances" value=${number(last(m.instances))} note=${`${f.min_scale} to ${f.max_scale}`} /><${Stat} label="Memory" value=${last(m.memory_bytes) ? bytes(last(m.memory_bytes)) : '–'} note=${`${f.memory_limit} MB each`} /></div>
    <${MissingNodes} series=${m} /><div class="charts"><${Card}><${Chart} title="Calls" series=${m} lines=${[{ name: 'calls', color: 'c1', values: m.calls, sum: true }, { name: 'errors', color: 'c-bad', values: m.errors, sum: true }]} /><//>
      <${Card}><${Chart} title="Duration" series=${m} format=${seconds} lines=${[{ name: 'p50', color: 'c2', values: m.p50_seconds, gaps: true }, { name: 'p99', color: 'c4', values: m.p99_seconds, gaps: true }]} /><//>
      <${Card}><${Chart} title="Instances" series=${m} lines=${[{ name: 'instances', color: 'c2', values: m.instances }, { name: 'cold starts', color: 'c3', values: m.cold_starts, sum: true }]} /><//>
      <${Card}><${Chart} title="Memory" series=${m} format=${bytes} lines=${[{ name: 'memory', color: 'c4', values: m.memory_bytes }]} /><//></div>`}
    <${Card} title="Version"><${Facts} items=${[
      ['Code', d && d.serving ? html`<code title=${d.serving.code_sha256}>${d.serving.code_sha256.slice(0, 16)}</code>` : html`<span class="quiet">not deployed</span>`],
      d && d.serving && ['Revision', html`<code>${d.serving.revision_id}</code>`],
      ['Runtime', html`<code>${f.runtime}</code>`], ['Handler', html`<code>${f.handler}</code>`], ['Timeout', seconds(parseFloat(f.timeout))],
      ['First ready', html`<${Time} value=${f.ready_at} />`], ['Changed', html`<${Time} value=${f.updated_at} />`],
    ]} /><//>
    <${Deployments} data=${d} />`;
}

function rate(calls, range) {
  const perSecond = calls / (range === 'hour' ? 3600 : 86400);
  if (!calls) return '0';
  return perSecond >= 10 ? number(Math.round(perSecond)) : perSecond.toFixed(perSecond < 0.1 ? 3 : 1);
}

function lastWith(values) { for (let i = values.length - 1; i >= 0; i--) if (values[i]) return values[i]; return 0; }
