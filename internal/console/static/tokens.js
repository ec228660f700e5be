import { html, useState, useEffect, useSignal, region, route, setQuery, api, fn, own, query, useData, useDebounced, useTitle, may, exact, date, seconds } from './lib.js';
import { Card, Button, Table, Pager, Search, Choice, Empty, Problem, Loading, PageHead, Time, ID, Code, Copy, Field, FormDialog, Dialog, Confirm, Callout, Facts } from './ui.js';
import { useLive } from './live.js';
import { tokenBlock } from './terraform.js';
import { namespacesOf } from './create.js';

const size = 50;
const soon = 14 * 86400 * 1000;

function Expiry({ value }) {
  if (!value) return html`<span class="quiet">never</span>`;
  const left = new Date(value) - Date.now();
  if (left <= 0) return html`<span class="tag bad">expired</span> <${Time} value=${value} />`;
  return left < soon ? html`<span class="tag warn">expires soon</span> <${Time} value=${value} />` : html`<${Time} value=${value} />`;
}

function Scope({ t }) {
  return t.function_id ? html`<a class="plain-link" href=${'#/functions/' + t.function_id}>${t.function_name || t.function_id}</a><span class="sub">function in ${t.namespace_name}</span>` : html`<a class="plain-link" href=${'#/namespaces/' + t.namespace_id}>${t.namespace_name || t.namespace_id}</a><span class="sub">all functions of the namespace</span>`;
}

export const lifetimes = [['1h', 'One hour', 3600], ['1d', 'One day', 86400], ['30d', '30 days', 30 * 86400], ['90d', '90 days', 90 * 86400], ['365d', 'One year', 365 * 86400], ['never', 'Never', 0], ['date', 'Another time…', 0]];

// expiryOf returns the expiry that a form has selected; null for none.
export function expiryOf(v) {
  if (v.lifetime === 'date') return new Date(v.at);
  const [, , seconds] = lifetimes.find((l) => l[0] === v.lifetime);
  return seconds ? new Date(Date.now() + seconds * 1000) : null;
}
export const expiryFields = (value) => [
  { name: 'lifetime', label: 'Expires', options: lifetimes.map(([v, label]) => ({ value: v, label })), value },
  { name: 'at', label: 'Expires at', type: 'datetime-local', required: true, when: (v) => v.lifetime === 'date' },
];

export function CreateToken({ functionID, onClose, onCreated }) {
  const place = region.value;
  const [text, setText] = useState('');
  const search = useDebounced(text);
  const all = useData(async () => {
    if (functionID) return { namespaces: [], functions: [], many: false };
    const [namespaces, functions] = await Promise.all([namespacesOf(place), api('GET', own(place, '/functions') + query({ page_size: 100, search }))]);
    return { namespaces: namespaces.filter((n) => n.name.toLowerCase().includes(search.toLowerCase())), functions: functions.functions, many: Object.values(functions.status_counts).reduce((a, b) => a + b, 0) > 100 };
  }, [search]);
  const [issued, setIssued] = useState(null);
  if (issued) return html`<${Issued} token=${issued} onClose=${() => { onCreated(); onClose(); }} />`;
  if (all.error) return html`<${Dialog} title="Create a token" onClose=${onClose}><div class="dialog-body"><${Problem} error=${all.error} /></div><//>`;
  if (!all.data) return null;
  const { namespaces, functions, many } = all.data;
  const scopes = [...functions.map((f) => ({ value: 'f ' + f.id, label: `Function ${f.name} (${f.namespace_name})` })), ...namespaces.map((n) => ({ value: 'n ' + n.id, label: `All functions of ${n.name}` }))];
  if (!functionID && scopes.length === 0 && !search) return html`<${Dialog} title="Create a token" onClose=${onClose}><div class="dialog-body"><${Empty} icon="tokens" title="There is nothing to call yet"><p>A token is for a function, or for all functions of a namespace. Create one of them first.</p><//></div><//>`;
  const fields = [
    !functionID && { name: 'scope', label: 'What it may call', options: scopes, value: scopes[0] && scopes[0].value },
    { name: 'description', label: 'Description', help: 'Who uses the token. It is the only way to recognize it later.', required: true, autocomplete: 'off' },
    ...expiryFields('90d'),
  ].filter(Boolean);
  const submit = async (v) => {
    const expires = expiryOf(v);
    // After a search, the first match is selected unless another one was.
    const scope = scopes.find((s) => s.value === v.scope) || scopes[0];
    if (!functionID && !scope) throw new Error('No function or namespace matches.');
    const [kind, id] = functionID ? ['f', functionID] : scope.value.split(' ');
    setIssued(await api('POST', fn(place, '/tokens'), { [kind === 'f' ? 'function_id' : 'namespace_id']: id, description: v.description, expires_at: expires ? expires.toISOString() : undefined }));
  };
  return html`<${FormDialog} title="Create a token" action="Create token" fields=${fields} onSubmit=${submit} onClose=${onClose}>${many && html`<${Field} label="Find a function or namespace" value=${text} onInput=${setText} autocomplete="off" />`}<//>`;
}

// Issued shows the value of a new token. It is only in the memory of this component: the
// server does not store it, and it is gone when the dialog is closed.
function Issued({ token, onClose }) {
  return html`<${Dialog} title="The token was created" onClose=${onClose} wide><div class="dialog-body">
    <${Callout} kind="good" title="Copy the value now"><p>It is shown once. The server stores only its digest.</p><//>
    <div class="secret"><code id="token-value" tabindex="0">${token.token}</code><${Copy} text=${token.token} label="Copy value" /></div>
    <p class="quiet">Callers send it in the header <code>X-Auth-Token</code>.</p></div>
    <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>I have copied it<//></footer><//>`;
}

function Revoked({ token, onClose }) {
  const effect = useData(() => api('GET', own(region.value, `/tokens/${token.id}/revocation`)), [token.id]);
  useLive((event, data) => { if (event === 'sample' || event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'revocation' && c.id === token.id))) effect.reload(); });
  const e = effect.data;
  return html`<${Callout} kind="good" title=${`${token.description || token.id} was revoked`}>${effect.error ? html`<p>Calls with it are denied.</p>` : e && html`<${Facts} items=${[
    ['Denied since', date(e.revoked_at)], ['Took', `${seconds(e.revocation_seconds)} after the commit`],
    ['Calls refused since', html`<strong class="refused-count">${exact(e.refused_calls)}</strong>${e.last_refused_at && html` <span class="quiet">(last <${Time} value=${e.last_refused_at} />)</span>`}`]]} />`}<${Button} kind="small" onClick=${onClose}>Dismiss<//><//>`;
}

export function TokenList({ functionID, dialog }) {
  const place = useSignal(region);
  const { query: q } = useSignal(route);
  const [text, setText] = useState(q.get('search') || '');
  const search = useDebounced(text, 350);
  const expiring = q.get('expiring') === '1';
  const page = Number(q.get('page')) || 1;
  const ownDialog = useState(false);
  const [creating, setCreating] = dialog || ownDialog;
  const [revoking, setRevoking] = useState(null);
  const [revoked, setRevoked] = useState([]);
  const [shown, setShown] = useState(null);
  useEffect(() => { if (search !== (q.get('search') || '')) setQuery({ search, page: '' }); }, [search]);
  useEffect(() => { if (search !== (q.get('search') || '')) setText(q.get('search') || ''); }, [q.get('search')]);
  const list = useData(() => api('GET', own(place, '/tokens') + query({ search, function_id: functionID, expiring, page, page_size: size })), [place, functionID, search, expiring, page]);
  useLive((event, data) => { if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'token' && (!functionID || c.function_id === functionID)))) list.reload(); });
  const revoke = async () => {
    await api('DELETE', fn(place, '/tokens/' + revoking.id));
    setRevoked((all) => [revoking, ...all].slice(0, 5));
    setRevoking(null);
    list.reload();
  };
  const add = may('write') && html`<${Button} kind="primary" icon="plus" onClick=${() => setCreating(true)}>Create token<//>`;
  const filtered = search || expiring;
  const data = list.data;
  return html`${revoked.map((t) => html`<${Revoked} key=${t.id} token=${t} onClose=${() => setRevoked((all) => all.filter((x) => x.id !== t.id))} />`)}
    ${(filtered || (data && data.total_count !== 0)) && html`<div class="filters"><${Search} label="Search tokens" placeholder="Part of the description, or an ID" value=${text} onInput=${setText} /><${Choice} label="Expiry" value=${expiring ? '1' : ''} onChange=${(v) => setQuery({ expiring: v, page: '' })} options=${[{ value: '', label: 'All' }, { value: '1', label: 'Expire soon' }]} />${functionID && add}</div>`}
    ${list.error ? html`<${Problem} error=${list.error} retry=${list.reload} />` : !data ? html`<${Loading} lines=${6} />` : data.tokens.length === 0
    ? html`<${Card}>${filtered ? html`<${Empty} icon="search" title="No token matches" actions=${html`<${Button} onClick=${() => { setText(''); setQuery({ expiring: '', search: '', page: '' }); }}>Clear the filters<//>`} />`
      : html`<${Empty} icon="tokens" title="No tokens yet" actions=${add}><p>A token lets one caller call one private function, or all of a namespace. Create one here, or with Terraform:</p><${Code} text=${`resource "scaleway_function_token" "caller" {\n  function_id = ${functionID ? `"${place}/${functionID}"` : 'scaleway_function.hello.id'}\n  description = "caller"\n  expires_at  = "${new Date(Date.now() + 90 * 86400000).toISOString().slice(0, 10)}T00:00:00Z"\n}\n`} /><//>`}<//>`
    : html`<${Card}><${Table} caption="Tokens" rows=${data.tokens} keyOf=${(t) => t.id} columns=${[
      { title: 'Token', kind: 'main', cell: (t) => html`<strong>${t.description || html`<span class="quiet">no description</span>`}</strong><span class="sub"><${ID} value=${t.id} /></span>${t.issuer && html`<span class="sub">issued by ${t.issuer}, ${t.adopted_at ? html`adopted <${Time} value=${t.adopted_at} />` : 'not used here yet'}</span>`}` },
      !functionID && { title: 'May call', cell: (t) => html`<${Scope} t=${t} />` },
      { title: 'Expires', cell: (t) => html`<${Expiry} value=${t.expires_at} />` },
      { title: 'Last use', cell: (t) => html`<${Time} value=${t.last_used_at} />` },
      { title: 'Created', cell: (t) => html`<${Time} value=${t.created_at} />` },
      { title: 'Actions', hidden: true, kind: 'num', cell: (t) => html`<div class="row end"><${Button} kind="small" label=${`${t.description || t.id} as Terraform`} onClick=${() => setShown(t)}>Terraform<//>${may('write') && html`<${Button} kind="small quiet-danger" label=${`Revoke ${t.description || t.id}`} onClick=${() => setRevoking(t)}>Revoke<//>`}</div>` },
    ].filter(Boolean)} /><${Pager} page=${page} size=${size} total=${data.total_count} more=${data.more} shown=${data.tokens.length} onPage=${(p) => setQuery({ page: p === 1 ? '' : p })} /><//>`}
    ${creating && html`<${CreateToken} functionID=${functionID} onClose=${() => setCreating(false)} onCreated=${list.reload} />`}
    ${shown && html`<${Confirm} title="The token as Terraform" action="Close" onClose=${() => setShown(null)} onConfirm=${() => setShown(null)}><p class="quiet">After an import, the value of the token is unknown to Terraform.</p><${Code} text=${tokenBlock(shown, place)} /><//>`}
    ${revoking && html`<${Confirm} title="Revoke the token" action="Revoke" onClose=${() => setRevoking(null)} onConfirm=${revoke}><p>Callers with <strong>${revoking.description || revoking.id}</strong> are denied from the moment of the answer. This cannot be undone.</p><${Facts} items=${[['Last use', html`<${Time} value=${revoking.last_used_at} />`], ['May call', html`<${Scope} t=${revoking} />`]]} /><//>`}`;
}

export function Tokens() {
  useTitle('Tokens');
  const dialog = useState(false); // whether the dialog is open, and what opens it
  return html`<${PageHead} title="Tokens" note="Each token lets one caller call one function, or all functions of a namespace." actions=${may('write') && html`<${Button} kind="primary" icon="plus" onClick=${() => dialog[1](true)}>Create token<//>`} /><${TokenList} dialog=${dialog} />`;
}
