// Components that all pages share.
import { html, useState, useEffect, useRef, signal, useSignal, ago, date, useNow, useData } from './lib.js';

const paths = {
  overview: 'M3 12l6-6 4 4 6-7M3 20h18', functions: 'M4 17l5-5-5-5M12 19h8', namespaces: 'M3 7l9-4 9 4-9 4zM3 12l9 4 9-4M3 17l9 4 9-4',
  tokens: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 8v5.5a2 2 0 0 1-3.8.8', keys: 'M15 9a4 4 0 1 0-4.6 4L10 14H8v2H6v2H4v2h4l5.2-5.4A4 4 0 0 0 15 9zM12 8.5h.01',
  projects: 'M4 6h6l2 2h8v11H4z', audit: 'M6 3h9l4 4v14H6zM9 12h7M9 16h7M9 8h3', server: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  menu: 'M4 6h16M4 12h16M4 18h16', close: 'M6 6l12 12M18 6L6 18', copy: 'M9 9h11v11H9zM5 15H4V4h11v1', check: 'M5 12.5l5 5L20 7', sun: 'M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4',
  moon: 'M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z', out: 'M10 4H5v16h5M15 8l4 4-4 4M19 12H9', plus: 'M12 5v14M5 12h14', search: 'M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM16.5 16.5L21 21',
  up: 'M12 19V6M6 11l6-6 6 6', play: 'M7 4.5v15l12-7.5z', lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3', globe: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18', trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13', warn: 'M12 4L2.5 20h19zM12 10v4M12 17h.01', right: 'M9 6l6 6-6 6', left: 'M15 6l-6 6 6 6', box: 'M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8', auto: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
};

export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d=${paths[name] || ''} /></svg>`;
}

export function Button({ kind = '', icon, label, busy, children, ...rest }) {
  return html`<button type="button" class=${'button ' + kind} aria-label=${label} aria-busy=${busy ? 'true' : undefined} disabled=${busy || rest.disabled} ...${rest}>
    ${icon && html`<${Icon} name=${icon} size=${16} />`}${children && html`<span>${children}</span>`}
  </button>`;
}

export function LinkButton({ kind = '', icon, children, ...rest }) {
  return html`<a class=${'button ' + kind} ...${rest}>${icon && html`<${Icon} name=${icon} size=${16} />`}<span>${children}</span></a>`;
}

const statusTexts = { ready: 'Ready', error: 'Error', pending: 'Deploying', creating: 'Creating', created: 'No code', deleting: 'Deleting' };
export function Status({ status, text }) {
  return html`<span class=${'status ' + status}><span class="dot" aria-hidden="true"></span>${text || statusTexts[status] || status}</span>`;
}

export function Privacy({ value }) {
  const isPrivate = value !== 'public';
  return html`<span class="privacy"><${Icon} name=${isPrivate ? 'lock' : 'globe'} size=${14} />${isPrivate ? 'Private' : 'Public'}</span>`;
}

export function Time({ value, none = 'never' }) {
  useNow();
  if (!value) return html`<span class="quiet">${none}</span>`;
  return html`<time datetime=${value} title=${date(value)}>${ago(value)}</time>`;
}

export function ID({ value }) { return html`<code class="id" title=${value}>${value}</code>`; }

export function Card({ title, actions, children, kind = '' }) {
  return html`<section class=${'card ' + kind}>
    ${(title || actions) && html`<header class="card-head"><h2>${title}</h2><div class="row">${actions}</div></header>`}
    ${children}
  </section>`;
}

export function Stat({ label, value, note, kind = '' }) {
  return html`<div class=${'stat ' + kind}><div class="stat-label">${label}</div><div class="stat-value">${value}</div>${note && html`<div class="stat-note">${note}</div>`}</div>`;
}

export function Empty({ icon = 'box', title, children, actions }) {
  return html`<div class="empty"><div class="empty-icon"><${Icon} name=${icon} size=${26} /></div><h2>${title}</h2>${children}${actions && html`<div class="row center">${actions}</div>`}</div>`;
}

export function Loading({ lines = 3 }) {
  return html`<div class="skeleton" role="status" aria-label="Loading">${Array.from({ length: lines }, (_, i) => html`<div key=${i}></div>`)}</div>`;
}

export function Problem({ error, retry }) {
  return html`<div class="callout error" role="alert"><${Icon} name="warn" /><div><strong>${error.status === 404 ? 'Not found' : error.status === 403 ? 'Not permitted' : 'This did not work'}</strong><p>${error.message}</p>
    ${retry && html`<${Button} kind="small" onClick=${retry}>Try again<//>`}</div></div>`;
}

// lazy returns a component whose module is loaded when it is first shown.
export function lazy(load) {
  let component = null;
  return function Lazy(props) {
    const { error, reload } = useData(async () => { component = await load(); }, []);
    if (component) return html`<${component} ...${props} />`;
    return error ? html`<${Problem} error=${new Error('The page could not be loaded. Check that the server runs, and try again.')} retry=${reload} />` : null;
  };
}

export function Callout({ kind = 'info', title, children }) {
  return html`<div class=${'callout ' + kind} role=${kind === 'error' ? 'alert' : undefined}><${Icon} name=${kind === 'good' ? 'check' : 'warn'} /><div>${title && html`<strong>${title}</strong>`}${children}</div></div>`;
}

// Copy copies a text. The text stays selectable where the browser has no clipboard.
export async function copy(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'offscreen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function Copy({ text, label = 'Copy' }) {
  const [done, set] = useState(false);
  useEffect(() => { if (!done) return undefined; const t = setTimeout(() => set(false), 1600); return () => clearTimeout(t); }, [done]);
  return html`<button type="button" class="button small copy" onClick=${async () => set(await copy(text))} aria-live="polite"><${Icon} name=${done ? 'check' : 'copy'} size=${15} /><span>${done ? 'Copied' : label}</span></button>`;
}

export function Code({ text, label = 'Code' }) {
  return html`<div class="code"><${Copy} text=${text} /><pre tabindex="0" role="region" aria-label=${label}><code>${text}</code></pre></div>`;
}

// Toasts.
const toasts = signal([]);
let toastID = 0;
export function toast(text, kind = 'good') {
  const id = ++toastID;
  toasts.set([...toasts.value.slice(-3), { id, text, kind }]);
  setTimeout(() => toasts.set(toasts.value.filter((t) => t.id !== id)), 6000);
}
export function Toasts() {
  const all = useSignal(toasts);
  return html`<div class="toasts" role="status" aria-live="polite">${all.map((t) => html`<div class=${'toast ' + t.kind} key=${t.id}><${Icon} name=${t.kind === 'good' ? 'check' : 'warn'} />${t.text}</div>`)}</div>`;
}

// Dialog is a modal dialog. The browser keeps the focus in it and closes it with Escape.
export function Dialog({ title, children, onClose, wide }) {
  const ref = useRef(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => { if (dialog.open) dialog.close(); if (before && before.focus) before.focus(); };
  }, []);
  return html`<dialog ref=${ref} class=${wide ? 'wide' : ''} aria-labelledby="dialog-title" onCancel=${(e) => { e.preventDefault(); onClose(); }} onMouseDown=${(e) => { if (e.target === ref.current) onClose(); }}>
    <div class="dialog"><header class="dialog-head"><h2 id="dialog-title">${title}</h2><${Button} kind="ghost" icon="close" label="Close" onClick=${onClose} /></header>${children}</div>
  </dialog>`;
}

// Confirm asks before something that cannot be undone.
export function Confirm({ title, children, action, onConfirm, onClose, word }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [typed, setTyped] = useState('');
  const run = async (e) => {
    e.preventDefault();
    setBusy(true);
    try { await onConfirm(); } catch (x) { setError(x); setBusy(false); }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}><form onSubmit=${run}><div class="dialog-body">${children}
    ${word && html`<${Field} label=${`Type ${word} to confirm`} value=${typed} onInput=${setTyped} autocomplete="off" />`}
    ${error && html`<${Problem} error=${error} />`}</div>
    <footer class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><button class="button danger" type="submit" disabled=${busy || (word && typed !== word)}><span>${action}</span></button></footer></form><//>`;
}

let fieldID = 0;
export function useID() { const ref = useRef(0); if (!ref.current) ref.current = ++fieldID; return 'f' + ref.current; }

export function Field({ label, value, onInput, help, type = 'text', options, rows, required, error, ...rest }) {
  const id = useID();
  const common = { id, value, required, 'aria-describedby': help ? id + '-help' : undefined, ...rest };
  let input;
  if (options) input = html`<select ...${common} onChange=${(e) => onInput(e.target.value)}>${options.map((o) => html`<option key=${o.value ?? o} value=${o.value ?? o} selected=${(o.value ?? o) === value}>${o.label ?? o}</option>`)}</select>`;
  else if (rows) input = html`<textarea ...${common} rows=${rows} onInput=${(e) => onInput(e.target.value)}></textarea>`;
  else input = html`<input ...${common} type=${type} onInput=${(e) => onInput(e.target.value)} />`;
  return html`<div class="field"><label for=${id}>${label}${required && html`<span class="quiet"> (required)</span>`}</label>${input}${help && html`<p class="help" id=${id + '-help'}>${help}</p>`}${error && html`<p class="help bad">${error}</p>`}</div>`;
}

// FormDialog is a dialog with fields that sends a request.
export function FormDialog({ title, fields, initial = {}, action, onSubmit, onClose, children, wide }) {
  const [values, set] = useState(() => ({ ...Object.fromEntries(fields.map((f) => [f.name, f.value ?? ''])), ...initial }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const run = async (e) => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    try { await onSubmit(values); } catch (x) { setError(x); setBusy(false); }
  };
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${wide}><form onSubmit=${run}><div class="dialog-body">${children}
    ${fields.filter((f) => !f.when || f.when(values)).map(({ name, when, value, ...f }) => html`<${Field} key=${name} ...${f} name=${name} value=${values[name]} onInput=${(v) => set((s) => ({ ...s, [name]: v }))} />`)}
    ${error && html`<${Problem} error=${error} />`}</div>
    <footer class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><button class="button primary" type="submit" disabled=${busy} aria-busy=${busy ? 'true' : undefined}><span>${action}</span></button></footer></form><//>`;
}

// Table becomes a list of cards on a phone. Each column has a title and a cell function.
export function Table({ columns, rows, keyOf, caption, onSort, order }) {
  return html`<div class="table-wrap"><table><caption class="offscreen">${caption}</caption><thead><tr>${columns.map((c) => {
    const active = c.sort && order && order.replace(/_(asc|desc)$/, '') === c.sort;
    const descending = active && order.endsWith('_desc');
    return html`<th key=${c.title} scope="col" class=${c.kind || ''} aria-sort=${active ? (descending ? 'descending' : 'ascending') : undefined}>${c.sort && onSort
      ? html`<button type="button" class="sort" onClick=${() => onSort(c.sort + (active && !descending ? '_desc' : '_asc'))}>${c.title}<span aria-hidden="true">${active ? (descending ? ' ↓' : ' ↑') : ''}</span></button>`
      : c.hidden ? html`<span class="offscreen">${c.title}</span>` : c.title}</th>`;
  })}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)}>${columns.map((c) => html`<td key=${c.title} class=${c.kind || ''} data-title=${c.hidden ? '' : c.title}><div class="cell">${c.cell(row)}</div></td>`)}</tr>`)}</tbody></table></div>`;
}

export function Pager({ page, size, total, more, shown, onPage }) {
  const known = total >= 0;
  const pages = known ? Math.max(1, Math.ceil(total / size)) : 0;
  const last = known ? page >= pages : !more;
  if (page === 1 && last) return null;
  const first = (page - 1) * size + 1;
  return html`<nav class="pager" aria-label="Pages"><span class="quiet">${first.toLocaleString('en')}–${(first + shown - 1).toLocaleString('en')}${known ? ` of ${total.toLocaleString('en')}` : ''}</span>
    <div class="row"><${Button} kind="small" icon="left" disabled=${page <= 1} onClick=${() => onPage(page - 1)}>Previous<//>
    <${Button} kind="small" disabled=${last} onClick=${() => onPage(page + 1)}>Next<//></div></nav>`;
}

export function Search({ value, onInput, label, placeholder }) {
  return html`<div class="search"><${Icon} name="search" size=${16} /><input type="search" value=${value} aria-label=${label} placeholder=${placeholder || label} onInput=${(e) => onInput(e.target.value)} /></div>`;
}

export function Tabs({ tabs, active, href }) {
  const ref = useRef(null);
  // On a phone, the section that is shown may be outside of the row.
  useEffect(() => { const a = ref.current.querySelector('[aria-current]'); if (a) a.scrollIntoView({ block: 'nearest', inline: 'nearest' }); }, [active]);
  return html`<nav class="tabs" ref=${ref} aria-label="Sections">${tabs.map((t) => html`<a key=${t.id} href=${href(t.id)} aria-current=${t.id === active ? 'page' : undefined}>${t.title}${t.count !== undefined && html`<span class="badge">${t.count}</span>`}</a>`)}</nav>`;
}

export function Choice({ label, options, value, onChange }) {
  return html`<div class="choice" role="group" aria-label=${label}>${options.map((o) => html`<button key=${o.value} type="button" aria-pressed=${o.value === value ? 'true' : 'false'} onClick=${() => onChange(o.value)}>${o.label}</button>`)}</div>`;
}

export function PageHead({ title, crumbs, status, note, actions }) {
  return html`<header class="page-head"><div>
    ${crumbs && html`<nav class="crumbs" aria-label="Breadcrumb">${crumbs.map((c, i) => html`<span key=${i}>${c.href ? html`<a href=${c.href}>${c.text}</a>` : c.text}</span>`)}</nav>`}
    <h1>${title}${status}</h1>${note && html`<p class="note">${note}</p>`}</div><div class="row actions">${actions}</div></header>`;
}

export function Facts({ items }) {
  return html`<dl class="facts">${items.filter(Boolean).map(([k, v]) => html`<div key=${k}><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>`;
}
