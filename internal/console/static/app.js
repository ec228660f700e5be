// The entry: the session, the frame of the page, and which page is shown.
import { html, render, useState, useEffect, useLayoutEffect, useSignal, useRef, useTitle, session, endReason, region, regions, theme, route, endSession } from './lib.js';
import { Icon, Button, Toasts, Field, Problem, lazy } from './ui.js';
import { start, stop, connection } from './live.js';
import { load } from './start.js';

const FunctionPage = lazy(async () => (await load('function')).FunctionPage);
const NamespacePage = lazy(async () => (await load('namespaces')).NamespacePage);

const sections = [
  { id: '', icon: 'overview', title: 'Overview', page: lazy(async () => (await load('overview')).Overview) },
  { id: 'functions', icon: 'functions', title: 'Functions', page: lazy(async () => (await load('functions')).Functions) },
  { id: 'namespaces', icon: 'namespaces', title: 'Namespaces', page: lazy(async () => (await load('namespaces')).Namespaces) },
  { id: 'tokens', icon: 'tokens', title: 'Tokens', page: lazy(async () => (await load('tokens')).Tokens) },
  { id: 'keys', icon: 'keys', title: 'API keys', page: lazy(async () => (await load('keys')).Keys), organization: true },
  { id: 'projects', icon: 'projects', title: 'Projects', page: lazy(async () => (await load('admin')).Projects) },
  { id: 'audit', icon: 'audit', title: 'Audit log', page: lazy(async () => (await load('admin')).Audit), organization: true },
  { id: 'server', icon: 'server', title: 'Server', page: lazy(async () => (await load('admin')).Server), organization: true },
];

function pageOf(parts) {
  const [first = '', second, third] = parts;
  if (first === 'functions' && second) return html`<${FunctionPage} key=${second} id=${second} tab=${third || 'overview'} />`;
  if (first === 'namespaces' && second) return html`<${NamespacePage} key=${second} id=${second} tab=${third || 'functions'} />`;
  const section = sections.find((s) => s.id === first) || sections[0];
  return html`<${section.page} key=${section.id} />`;
}

function Logo() {
  return html`<span class="logo"><svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="15" class="coin" /><circle cx="16" cy="16" r="10.5" class="rim" /><path d="M18.6 9.5v8.7a3.4 3.4 0 0 1-6.6 1.2" class="letter" /></svg>Jeton</span>`;
}

const themes = [['auto', 'auto', 'Theme of the system'], ['light', 'sun', 'Light theme'], ['dark', 'moon', 'Dark theme']];
function ThemeButton() {
  const now = useSignal(theme);
  const at = themes.findIndex((t) => t[0] === now);
  const next = themes[(at + 1) % themes.length];
  return html`<${Button} kind="ghost" icon=${themes[at][1]} label=${`${themes[at][2]}. Change to: ${next[2]}`} title=${themes[at][2]} onClick=${() => theme.set(next[0])} />`;
}

function Connection() {
  const state = useSignal(connection);
  const texts = { live: 'Live', lost: 'Reconnecting', connecting: 'Connecting' };
  return html`<span class=${'connection ' + state} role="status"><span class="dot" aria-hidden="true"></span>${texts[state]}</span>`;
}

async function signOut() {
  try { await fetch('session', { method: 'DELETE', credentials: 'same-origin' }); } finally { endSession(''); }
}

function Frame({ who }) {
  const current = useSignal(route);
  const place = useSignal(region);
  const [menu, setMenu] = useState(false);
  const main = useRef(null);
  const first = useRef(true);
  const path = current.parts.join('/');
  useEffect(() => { start(); return stop; }, []);
  // The focus moves before the new page is shown: later, it would move away from what the
  // user has reached in the meantime.
  useLayoutEffect(() => {
    setMenu(false);
    if (first.current) { first.current = false; return; }
    scrollTo(0, 0);
    if (main.current) main.current.focus({ preventScroll: true });
  }, [current.parts.slice(0, 2).join('/')]);
  const visible = sections.filter((s) => !s.organization || who.organization);
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); main.current.focus(); }}>Skip to content</a>
    <div class="frame">
      <header class="topbar"><${Button} kind="ghost" icon=${menu ? 'close' : 'menu'} label=${menu ? 'Close menu' : 'Open menu'} aria-expanded=${menu ? 'true' : 'false'} aria-controls="sidebar" onClick=${() => setMenu(!menu)} /><${Logo} /><${Connection} /></header>
      <aside id="sidebar" class=${'sidebar' + (menu ? ' open' : '')}>
        <a class="brand" href="#/" aria-label="Jeton, overview"><${Logo} /></a>
        <div class="region"><label for="region">Region</label><select id="region" value=${place} onChange=${(e) => { region.set(e.target.value); if (current.parts.length > 1) location.hash = '#/' + current.parts[0]; }}>${regions.map((r) => html`<option key=${r} value=${r} selected=${r === place}>${r}</option>`)}</select></div>
        <nav aria-label="Main"><ul>${visible.map((s) => html`<li key=${s.id}><a href=${'#/' + s.id} aria-current=${(current.parts[0] || '') === s.id ? 'page' : undefined}><${Icon} name=${s.icon} />${s.title}</a></li>`)}</ul></nav>
        <footer class="me"><div class="me-key"><strong title=${who.description}>${who.description || 'API key'}</strong><code>${who.access_key}</code><span class="quiet">${who.actions.includes('write') ? (who.organization ? 'Organization, full access' : 'Full access') : 'Read only'}</span></div>
          <div class="row spread"><${Connection} /><div class="row tight"><${ThemeButton} /><${Button} kind="ghost" icon="out" label="Sign out" title="Sign out" onClick=${signOut} /></div></div></footer>
      </aside>
      ${menu && html`<div class="shade" onClick=${() => setMenu(false)}></div>`}
      <main id="main" ref=${main} tabindex="-1"><div class="page" key=${place}>${pageOf(path ? current.parts : [])}</div></main>
    </div>`;
}

function SignIn() {
  useTitle('Sign in');
  const reason = useSignal(endReason);
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const submit = async (e) => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const answer = await fetch('session', { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ secret_key: key }) });
      if (answer.ok) {
        endReason.set('');
        session.set(await answer.json());
        return;
      }
      const texts = {
        401: 'The server does not accept this secret key. It is unknown, was revoked, or has expired.',
        403: 'This API key may call functions, but not read them. The console needs a key with FunctionsReadOnly or FunctionsFullAccess.',
        429: 'Too many wrong keys from this address. Wait a minute.',
      };
      setError(new Error(texts[answer.status] || `The server answered ${answer.status}.`));
    } catch { setError(new Error('The server does not answer. Check that it runs, and try again.')); }
    setBusy(false);
  };
  return html`<main class="signin"><div class="signin-card"><${Logo} /><h1>Sign in</h1>
    ${reason && html`<div class="callout info" role="status"><${Icon} name="warn" /><div><p>${reason}</p></div></div>`}
    <form onSubmit=${submit}>
      <${Field} label="Secret key of an API key" type="password" value=${key} onInput=${setKey} autocomplete="current-password" placeholder="xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" required help="The first start of the server wrote one to the file <data folder>.credentials.yaml." />
      ${error && html`<${Problem} error=${error} />`}
      <button class="button primary full" type="submit" disabled=${busy} aria-busy=${busy ? 'true' : undefined}><span>Sign in</span></button>
    </form>
    <div class="signin-foot quiet">More keys: <code>jeton apikey create</code><${ThemeButton} /></div></div></main>`;
}

function App() {
  const who = useSignal(session);
  useSignal(theme);
  useEffect(() => { globalThis.jetonSession.then((a) => (a.status === 200 ? a.json() : null)).then((s) => session.set(s), () => { endReason.set('The server does not answer. Check that it runs, and reload the page.'); session.set(null); }); }, []);
  if (who === undefined) return null;
  return html`${who ? html`<${Frame} who=${who} />` : html`<${SignIn} />`}<${Toasts} />`;
}

const app = document.getElementById('app');
app.textContent = '';
render(html`<${App} />`, app);
