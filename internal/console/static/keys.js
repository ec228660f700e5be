import { html, useState, api, useData, useTitle, session, may } from './lib.js';
import { Card, Button, Table, Problem, Loading, PageHead, Time, Copy, FormDialog, Dialog, Confirm, Callout, Facts, toast } from './ui.js';
import { useLive } from './live.js';
import { expiryOf, expiryFields } from './tokens.js';

const path = (accessKey = '') => '/jeton/v1/admin/api-keys' + (accessKey && '/' + encodeURIComponent(accessKey));
const sets = [
  ['FunctionsFullAccess', 'Full access'], ['FunctionsReadOnly', 'Read only'],
  ['FunctionsPrivateAccess', 'Calls of private functions only'], ['FunctionsPrivateAccess,FunctionsReadOnly', 'Read only, and calls of private functions'],
];
const value = (permissions) => [...permissions].sort().join(',');
const title = (permissions) => (sets.find((s) => s[0] === value(permissions)) || [0, permissions.map((p) => p.replace(/^Functions/, '')).join(', ')])[1];

// Issued shows a new secret key. It is only in the memory of this component.
function Issued({ issued, onClose }) {
  return html`<${Dialog} title=${issued.rotated ? 'The API key was rotated' : 'The API key was created'} onClose=${onClose} wide><div class="dialog-body">
    <${Callout} kind="good" title="Copy the secret key now"><p>It is shown once. The server stores only its digest.</p><//>
    <${Facts} items=${[['Access key', html`<code>${issued.access_key}</code>`]]} />
    <div class="secret"><code id="secret-key" tabindex="0">${issued.secret_key}</code><${Copy} text=${issued.secret_key} label="Copy secret key" /></div></div>
    <footer class="dialog-foot"><${Button} kind="primary" onClick=${onClose}>I have copied it<//></footer><//>`;
}

const permissionField = (permissions) => ({
  name: 'permissions', label: 'Permissions', value: value(permissions),
  options: [...sets, ...(sets.some((s) => s[0] === value(permissions)) ? [] : [[value(permissions), title(permissions)]])].map(([v, label]) => ({ value: v, label })),
});

function Create({ projects, onClose, onIssued }) {
  const fields = [
    { name: 'description', label: 'Description', required: true, maxlength: 200, autocomplete: 'off', help: 'Who uses the key.' },
    permissionField(['FunctionsReadOnly']),
    { name: 'covers', label: 'Covers', value: session.value.default_project_id, options: [...projects.map((p) => ({ value: p.id, label: `Project ${p.name}` })), { value: '', label: 'All projects of the organization' }] },
    ...expiryFields('90d'),
  ];
  const submit = async (v) => {
    const expires = expiryOf(v);
    onIssued(await api('POST', path(), {
      description: v.description, permissions: v.permissions.split(','), project: v.covers || session.value.default_project_id, organization: !v.covers,
      expires_at: expires ? expires.toISOString() : undefined,
    }));
  };
  return html`<${FormDialog} title="Create an API key" action="Create key" fields=${fields} onSubmit=${submit} onClose=${onClose} />`;
}

function Own({ k, text }) {
  return k.access_key === session.value.access_key ? html`<${Callout} title="This is the key of your session"><p>${text}</p><//>` : null;
}

function Edit({ k, onClose, onDone }) {
  const [keep, ...others] = [{ value: 'keep', label: 'As now' }, ...expiryFields('keep')[0].options];
  const fields = [
    { name: 'description', label: 'Description', maxlength: 200, value: k.description, autocomplete: 'off' }, permissionField(k.permissions),
    { ...expiryFields('keep')[0], options: [keep, ...others] }, expiryFields('keep')[1],
  ];
  const submit = async (v) => {
    const expires = v.lifetime === 'keep' ? undefined : expiryOf(v);
    await api('PATCH', path(k.access_key), {
      description: v.description, permissions: v.permissions.split(','), expires_at: expires ? expires.toISOString() : undefined, never_expires: expires === null ? true : undefined,
    });
    onDone(`${v.description || k.access_key} was changed. Requests with it have the new permissions.`);
  };
  return html`<${FormDialog} title="Change the API key" action="Save" fields=${fields} onSubmit=${submit} onClose=${onClose}><${Own} k=${k} text="With other permissions, you may not see this page any more." /><//>`;
}

function Rotate({ k, onClose, onIssued }) {
  const fields = [{ name: 'overlap', label: 'The old key is valid for another', value: '86400', options: [['0', 'No time: it is refused at once'], ['3600', 'Hour'], ['86400', 'Day'], ['604800', '7 days']].map(([v, label]) => ({ value: v, label })) }];
  const submit = async (v) => onIssued({ ...(await api('POST', path(k.access_key) + '/rotate', { overlap: Number(v.overlap) * 1e9 })), rotated: true });
  return html`<${FormDialog} title="Rotate the API key" action="Rotate key" fields=${fields} onSubmit=${submit} onClose=${onClose}><p>A new key with the same permissions replaces <strong>${k.description || k.access_key}</strong>.</p><${Own} k=${k} text="Your session ends with the old key: sign in again with the new one." /><//>`;
}

export function Keys() {
  useTitle('API keys');
  const list = useData(() => api('GET', '/jeton/v1/api-keys'), []);
  const projects = useData(() => api('GET', '/account/v3/projects?page_size=100'), []);
  useLive((event, data) => { if (event === 'reset' || (event === 'changes' && data.some((c) => c.kind === 'api_key'))) list.reload(); });
  const [open, setOpen] = useState(null); // { form, k } or { issued }
  const close = () => setOpen(null);
  const issued = (answer) => { setOpen({ issued: answer }); list.reload(); };
  const done = (text) => { close(); toast(text); list.reload(); };
  const manages = may('write');
  const name = (id) => { const p = projects.data && projects.data.projects.find((x) => x.id === id); return p ? p.name : id; };
  const called = (k) => k.description || k.access_key;
  const revoke = async () => { await api('DELETE', path(open.k.access_key)); done(`${called(open.k)} was revoked.`); };
  return html`<${PageHead} title="API keys" note="An API key signs in here, and authenticates terraform, scw and other clients." actions=${manages && html`<${Button} kind="primary" icon="plus" onClick=${() => setOpen({ form: 'create' })}>Create key<//>`} />
    ${list.error ? html`<${Problem} error=${list.error} retry=${list.reload} />` : !list.data ? html`<${Loading} /> ` : html`<${Card}><${Table} caption="API keys" rows=${list.data.api_keys} keyOf=${(k) => k.access_key} columns=${[
      { title: 'API key', kind: 'main', cell: (k) => html`<strong>${k.description || html`<span class="quiet">no description</span>`}</strong><span class="sub"><code>${k.access_key}</code>${k.access_key === session.value.access_key ? html` <span class="tag">this session</span>` : ''}</span>` },
      { title: 'Permissions', cell: (k) => title(k.permissions) }, { title: 'Covers', cell: (k) => (k.organization ? 'All projects' : html`${name(k.default_project_id)}${k.further_project_ids.length ? ` and ${k.further_project_ids.length} more` : ''}`) },
      { title: 'Expires', cell: (k) => html`<${Time} value=${k.expires_at} />` }, { title: 'Last use', cell: (k) => html`<${Time} value=${k.last_used_at} />` }, { title: 'Created', cell: (k) => html`<${Time} value=${k.created_at} />` },
      manages && { title: 'Actions', hidden: true, kind: 'num', cell: (k) => html`<div class="row end"><${Button} kind="small" label=${`Change ${called(k)}`} onClick=${() => setOpen({ form: 'edit', k })}>Change<//><${Button} kind="small" label=${`Rotate ${called(k)}`} onClick=${() => setOpen({ form: 'rotate', k })}>Rotate<//><${Button} kind="small quiet-danger" label=${`Revoke ${called(k)}`} onClick=${() => setOpen({ form: 'revoke', k })}>Revoke<//></div>` },
    ].filter(Boolean)} /><//>`}
    ${open && open.form === 'create' && html`<${Create} projects=${projects.data ? projects.data.projects : []} onClose=${close} onIssued=${issued} />`}
    ${open && open.form === 'edit' && html`<${Edit} k=${open.k} onClose=${close} onDone=${done} />`}
    ${open && open.form === 'rotate' && html`<${Rotate} k=${open.k} onClose=${close} onIssued=${issued} />`}
    ${open && open.form === 'revoke' && html`<${Confirm} title="Revoke the API key" action="Revoke" onClose=${close} onConfirm=${revoke}><p>Requests and calls with <strong>${called(open.k)}</strong> are denied from the moment of the answer, and its sessions end. This cannot be undone.</p><${Own} k=${open.k} text="Your session ends." /><${Facts} items=${[['Last use', html`<${Time} value=${open.k.last_used_at} />`]]} /><//>`}
    ${open && open.issued && html`<${Issued} issued=${open.issued} onClose=${close} />`}`;
}
