import { html, useState, api, fn, region, may, go } from './lib.js';
import { Card, Button, Field, Problem, toast, Facts, ID, Time, Confirm } from './ui.js';

let rowID = 0;
const asRows = (all) => Object.entries(all).map(([key, value]) => ({ id: ++rowID, key, value }));

// Variables edits the variables of a function or namespace. Values of secrets are never
// shown: they can be replaced or removed.
export function Variables({ item, path, onSaved, note }) {
  const write = may('write');
  const [rows, setRows] = useState(() => asRows(item.environment_variables));
  const [secrets, setSecrets] = useState([]);
  const [removed, setRemoved] = useState([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const change = (set) => (id, field, value) => set((all) => all.map((r) => (r.id === id ? { ...r, [field]: value } : r)));
  const known = item.secret_environment_variables.filter((s) => !removed.includes(s.key));
  const save = async (e) => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await api('PATCH', path, {
        environment_variables: Object.fromEntries(rows.filter((r) => r.key).map((r) => [r.key, r.value])),
        secret_environment_variables: [...secrets.filter((r) => r.key).map((r) => ({ key: r.key, value: r.value })), ...removed.map((key) => ({ key, value: null }))],
      });
      setSecrets([]);
      setRemoved([]);
      toast('The variables were saved.');
      onSaved();
    } catch (x) { setError(x); }
    setBusy(false);
  };
  const pair = (r, set, secret) => html`<div class="pair" key=${r.id}><input aria-label="Name of the variable" class="mono" placeholder="NAME" value=${r.key} onInput=${(e) => change(set)(r.id, 'key', e.target.value)} disabled=${!write} /><input aria-label=${`Value of ${r.key || 'the variable'}`} class="mono" type=${secret ? 'password' : 'text'} autocomplete="off" placeholder="value" value=${r.value} onInput=${(e) => change(set)(r.id, 'value', e.target.value)} disabled=${!write} />${write && html`<${Button} kind="ghost" icon="trash" label=${`Remove ${r.key || 'the variable'}`} onClick=${() => set((all) => all.filter((x) => x.id !== r.id))} />`}</div>`;
  return html`<${Card} title="Variables"><form class="pad" onSubmit=${save}><p class="quiet">${note}</p>
    <div class="pairs">${rows.map((r) => pair(r, setRows, false))}${rows.length === 0 && html`<p class="quiet">No variables.</p>`}</div>
    ${write && html`<${Button} kind="small" icon="plus" onClick=${() => setRows((all) => [...all, { id: ++rowID, key: '', value: '' }])}>Add variable<//>`}
    <h3>Secret variables</h3>
    <div class="pairs">${known.map((s) => html`<div class="pair" key=${s.key}><span class="mono name">${s.key}</span><span class="quiet mono">•••••••• hidden</span>${write && html`<${Button} kind="ghost" icon="trash" label=${`Remove ${s.key}`} onClick=${() => setRemoved((all) => [...all, s.key])} />`}</div>`)}${removed.map((key) => html`<div class="pair" key=${key}><span class="mono name struck">${key}</span><span class="bad">is removed when you save</span>${html`<${Button} kind="small" onClick=${() => setRemoved((all) => all.filter((k) => k !== key))}>Keep<//>`}</div>`)}${secrets.map((r) => pair(r, setSecrets, true))}${known.length + secrets.length + removed.length === 0 && html`<p class="quiet">No secret variables.</p>`}</div>
    ${write && html`<${Button} kind="small" icon="plus" onClick=${() => setSecrets((all) => [...all, { id: ++rowID, key: '', value: '' }])}>Add or replace secret<//>`}
    ${error && html`<${Problem} error=${error} />`}
    ${write && html`<div class="row end"><button class="button primary" type="submit" disabled=${busy} aria-busy=${busy ? 'true' : undefined}><span>Save variables</span></button></div>`}</form><//>`;
}

const tiers = [128, 256, 512, 1024, 2048, 3072, 4096];

export function Settings({ f, onSaved }) {
  const write = may('write');
  const initial = () => ({ description: f.description, handler: f.handler, privacy: f.privacy, http_option: f.http_option, min_scale: String(f.min_scale), max_scale: String(f.max_scale), memory_limit: String(f.memory_limit), timeout: String(parseFloat(f.timeout)) });
  const [v, set] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [removing, setRemoving] = useState(false);
  const path = fn(region.value, '/functions/' + f.id);
  const field = (name) => ({ value: v[name], onInput: (x) => set((s) => ({ ...s, [name]: x })), disabled: !write });
  const save = async (e) => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    const before = initial();
    const body = {};
    for (const k of Object.keys(v)) if (v[k] !== before[k]) body[k] = ['min_scale', 'max_scale', 'memory_limit'].includes(k) ? Number(v[k]) : k === 'timeout' ? v[k] + 's' : v[k];
    try {
      await api('PATCH', path, body);
      toast('The settings were saved.');
      onSaved();
    } catch (x) { setError(x); }
    setBusy(false);
  };
  return html`<${Card} title="Function"><${Facts} items=${[['ID', html`<${ID} value=${f.id} />`], ['Hostname', html`<code>${f.domain_name}</code>`], ['Runtime', html`<code>${f.runtime}</code>`], ['CPU limit', `${f.cpu_limit} mCPU`], ['Created', html`<${Time} value=${f.created_at} />`], ['Tags', f.tags.length ? f.tags.join(', ') : html`<span class="quiet">none</span>`]]} /><//>
    <${Card} title="Settings"><form class="pad" onSubmit=${save}><div class="grid2">
      <${Field} label="Who may call it" options=${[{ value: 'private', label: 'Private: callers with a token' }, { value: 'public', label: 'Public: everyone' }]} ...${field('privacy')} />
      <${Field} label="Calls over plain HTTP" options=${[{ value: 'enabled', label: 'Serve' }, { value: 'redirected', label: 'Redirect to HTTPS' }]} ...${field('http_option')} />
      <${Field} label="Minimum instances" type="number" min="0" ...${field('min_scale')} />
      <${Field} label="Maximum instances" type="number" min="1" ...${field('max_scale')} />
      <${Field} label="Memory of an instance" options=${tiers.map((t) => ({ value: String(t), label: `${t} MB` }))} help="A change deploys the function again." ...${field('memory_limit')} />
      <${Field} label="Timeout in seconds" type="number" min="0.001" step="any" ...${field('timeout')} />
      <${Field} label="Handler" ...${field('handler')} />
      <${Field} label="Description" ...${field('description')} /></div>
      ${error && html`<${Problem} error=${error} />`}
      ${write && html`<div class="row end"><button class="button primary" type="submit" disabled=${busy} aria-busy=${busy ? 'true' : undefined}><span>Save settings</span></button></div>`}</form><//>
    <${Variables} item=${f} path=${path} onSaved=${onSaved} note="Environment variables of the instances, in addition to those of the namespace. A change deploys the function again." />
    ${write && html`<${Card} kind="danger-zone" title="Delete the function"><div class="pad row spread"><p>Its tokens, crons, triggers and domains are deleted with it. Calls are denied at once.</p><${Button} kind="danger" icon="trash" onClick=${() => setRemoving(true)}>Delete function<//></div><//>`}
    ${removing && html`<${Confirm} title="Delete the function" action="Delete" word=${f.name} onClose=${() => setRemoving(false)} onConfirm=${async () => { await api('DELETE', path); toast(`${f.name} is being deleted.`); go('/functions'); }}><p>The function <strong>${f.name}</strong> and everything that belongs to it is deleted.</p><//>`}`;
}
