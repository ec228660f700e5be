import { html, useState, api, fn, region, query, useData, may } from './lib.js';
import { Card, Button, Table, Status, Empty, Problem, Loading, FormDialog, Confirm, Code, toast } from './ui.js';
import { useLive } from './live.js';
import { cronBlock, domainBlock, triggerBlock } from './terraform.js';

// Attached lists the crons, triggers or domains of a function.
function Attached({ f, kind, noun, title, columns, fields, body, block, empty, nameOf }) {
  const place = region.value;
  const [creating, setCreating] = useState(false);
  const [removing, setRemoving] = useState(null);
  const [shown, setShown] = useState(null);
  const list = useData(() => api('GET', fn(place, '/' + kind) + query({ function_id: f.id, page_size: 100 })), [f.id]);
  useLive((event, data) => { if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind + 's' === kind && c.function_id === f.id))) list.reload(); });
  const add = may('write') && html`<${Button} kind="small" icon="plus" onClick=${() => setCreating(true)}>Add ${noun}<//>`;
  const rows = list.data ? list.data[kind] : [];
  return html`<${Card} title=${title} actions=${rows.length > 0 && add}>
    ${list.error ? html`<${Problem} error=${list.error} retry=${list.reload} />` : !list.data ? html`<${Loading} /> ` : rows.length === 0 ? html`<${Empty} title=${empty.title} actions=${add}><p>${empty.text}</p><${Code} label=${`Terraform configuration of a ${noun}`} text=${empty.code} /><//>`
    : html`<${Table} caption=${title} rows=${rows} keyOf=${(r) => r.id} columns=${[...columns,
      { title: 'State', cell: (r) => html`<${Status} status=${r.status} text=${r.status === 'pending' ? 'Pending' : undefined} />${r.error_message && html`<span class="sub bad">${r.error_message}</span>`}` },
      { title: 'Actions', hidden: true, kind: 'num', cell: (r) => html`<div class="row end"><${Button} kind="small" onClick=${() => setShown(r)}>Terraform<//>${may('write') && html`<${Button} kind="ghost" icon="trash" label=${`Delete ${nameOf(r)}`} onClick=${() => setRemoving(r)} />`}</div>` }]} />`}
    ${creating && html`<${FormDialog} title=${`Add ${noun}`} action="Add" fields=${fields} onClose=${() => setCreating(false)} onSubmit=${async (v) => { await api('POST', fn(place, '/' + kind), { function_id: f.id, ...body(v) }); setCreating(false); toast(`The ${noun} was added.`); list.reload(); }} />`}
    ${shown && html`<${Confirm} title=${`${nameOf(shown)} as Terraform`} action="Close" onClose=${() => setShown(null)} onConfirm=${() => setShown(null)}><${Code} text=${block(shown, place)} /><//>`}
    ${removing && html`<${Confirm} title=${`Delete the ${noun}`} action="Delete" onClose=${() => setRemoving(null)} onConfirm=${async () => { await api('DELETE', fn(place, `/${kind}/${removing.id}`)); setRemoving(null); toast(`The ${noun} was deleted.`); list.reload(); }}><p>Delete <strong>${nameOf(removing)}</strong>?</p><//>`}<//>`;
}

function triggerSource(t) {
  if (t.scw_sqs_config) return html`SQS queue <code>${t.scw_sqs_config.queue}</code>`;
  if (t.scw_nats_config) return html`NATS subject <code>${t.scw_nats_config.subject}</code>`;
  return html`SQS queue <code>${t.sqs_config ? t.sqs_config.queue_url : ''}</code>`;
}

export function Events({ f }) {
  const id = `${region.value}/${f.id}`;
  return html`<${Attached} f=${f} kind="crons" noun="cron" title="Crons" block=${cronBlock} nameOf=${(c) => c.name || c.schedule}
      columns=${[{ title: 'Cron', kind: 'main', cell: (c) => html`<strong>${c.name || 'unnamed'}</strong>` }, { title: 'Schedule (UTC)', cell: (c) => html`<code>${c.schedule}</code>` }, { title: 'Body', cell: (c) => html`<code class="clip">${JSON.stringify(c.args)}</code>` }]}
      fields=${[{ name: 'name', label: 'Name' }, { name: 'schedule', label: 'Schedule', required: true, help: 'Five cron fields in UTC: minute, hour, day, month, weekday.', value: '0 * * * *' }, { name: 'args', label: 'Body of each call', help: 'A JSON object.', rows: 4, value: '{}' }]}
      body=${(v) => { let args; try { args = JSON.parse(v.args || '{}'); } catch { throw new Error('The body is not JSON.'); } return { name: v.name, schedule: v.schedule, args }; }}
      empty=${{ title: 'No crons', text: 'A cron calls the function on a schedule.', code: `resource "scaleway_function_cron" "hourly" {\n  function_id = "${id}"\n  schedule    = "0 * * * *"\n  args        = jsonencode({})\n}\n` }} />
    <${Attached} f=${f} kind="triggers" noun="trigger" title="Triggers" block=${triggerBlock} nameOf=${(t) => t.name}
      columns=${[{ title: 'Trigger', kind: 'main', cell: (t) => html`<strong>${t.name}</strong>` }, { title: 'Source', cell: triggerSource }]}
      fields=${[{ name: 'name', label: 'Name', required: true }, { name: 'source', label: 'Source', value: 'nats', options: [{ value: 'nats', label: 'NATS subject' }, { value: 'sqs', label: 'SQS queue' }] },
        { name: 'subject', label: 'Subject', required: true, when: (v) => v.source === 'nats' }, { name: 'account', label: 'ID of the NATS account', required: true, when: (v) => v.source === 'nats' }, { name: 'queue', label: 'Queue', required: true, when: (v) => v.source === 'sqs' }]}
      body=${(v) => (v.source === 'nats' ? { name: v.name, scw_nats_config: { subject: v.subject, mnq_nats_account_id: v.account, mnq_region: region.value } } : { name: v.name, scw_sqs_config: { queue: v.queue, mnq_region: region.value } })}
      empty=${{ title: 'No triggers', text: 'A trigger calls the function with each message of a queue or subject.', code: `resource "scaleway_function_trigger" "orders" {\n  function_id = "${id}"\n  name        = "orders"\n\n  sqs {\n    queue = "orders"\n  }\n}\n` }} />
    <${Attached} f=${f} kind="domains" noun="domain" title="Domains" block=${domainBlock} nameOf=${(d) => d.hostname}
      columns=${[{ title: 'Hostname', kind: 'main', cell: (d) => html`<strong>${d.hostname}</strong>` }, { title: 'URL', cell: (d) => html`<code>${d.url || '–'}</code>` }]}
      fields=${[{ name: 'hostname', label: 'Hostname', required: true, help: `Its DNS record must point to ${f.domain_name} or to this server.` }]} body=${(v) => ({ hostname: v.hostname })}
      empty=${{ title: 'No custom domains', text: 'A domain serves the function at a further hostname.', code: `resource "scaleway_function_domain" "shop" {\n  function_id = "${id}"\n  hostname    = "shop.example.com"\n}\n` }} />`;
}
