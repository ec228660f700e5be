// The API client, the session, the router and formats. Every module imports the
// library from here.
import { h, html, render, useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback } from './preact.js';

export { h, html, render, useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback };

// A Signal is a value that components follow.
export function signal(value) {
  const followers = new Set();
  return {
    get value() { return value; },
    set(next) { value = next; followers.forEach((f) => f(next)); },
    follow(f) { followers.add(f); return () => followers.delete(f); },
  };
}

export function useSignal(s) {
  const [value, set] = useState(s.value);
  useEffect(() => { set(s.value); return s.follow(set); }, [s]);
  return value;
}

export const regions = ['fr-par', 'nl-ams', 'pl-waw'];

function stored(name, fallback) {
  try { return localStorage.getItem('jeton.' + name) || fallback; } catch { return fallback; }
}
export function store(name, value) {
  try { localStorage.setItem('jeton.' + name, value); } catch { /* private windows have no storage */ }
}

// session is undefined until it is known, null without one.
export const session = signal(undefined);
export const endReason = signal('');
export const region = signal(regions.includes(stored('region')) ? stored('region') : 'fr-par');
region.follow((r) => store('region', r));
export const theme = signal(stored('theme', 'auto'));
function applyTheme(t) {
  if (t === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = t;
}
theme.follow((t) => { store('theme', t); applyTheme(t); });
applyTheme(theme.value);

export const may = (action) => !!session.value && session.value.actions.includes(action);

export class APIError extends Error {
  constructor(status, body) {
    super(describe(status, body));
    this.status = status;
    this.body = body;
  }
}

function describe(status, body) {
  if (!body) return `The server answered ${status}.`;
  const details = (body.details || []).map((d) => d.argument_name ? `${d.argument_name} ${d.help_message}` : `${d.action || ''} ${d.resource || ''}`.trim());
  if (details.length) return `${body.message}: ${details.join('; ')}`;
  return body.help_message && body.help_message !== body.message ? `${body.message}: ${body.help_message}` : body.message || `The server answered ${status}.`;
}

// api sends a request of the session. Paths are relative, so that a prefix of a reverse
// proxy needs no setting.
export async function api(method, path, body, signalAbort) {
  const options = { method, headers: { 'X-Jeton-Console': '1' }, signal: signalAbort, credentials: 'same-origin' };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
  }
  let answer;
  try {
    answer = await fetch('api' + path, options);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new APIError(0, { message: 'The server does not answer. Check that it runs, and try again.' });
  }
  const text = await answer.text();
  let parsed = null;
  try { parsed = text ? JSON.parse(text) : null; } catch { /* not JSON */ }
  if (answer.status === 401) endSession('Your session has ended: the API key was revoked or has expired, or you were signed in for twelve hours.');
  if (!answer.ok) throw new APIError(answer.status, parsed);
  return parsed;
}

export function endSession(reason) {
  if (session.value === null) return;
  endReason.set(reason);
  session.set(null);
}

export const fn = (r, path = '') => `/functions/v1beta1/regions/${r}${path}`;
export const own = (r, path = '') => `/jeton/v1/regions/${r}${path}`;
export function query(values) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== '' && v !== null && v !== false) q.set(k, v);
  const text = q.toString();
  return text ? '?' + text : '';
}

// useData loads something and loads it again when a dependency changes. Older answers
// never replace newer ones.
export function useData(load, dependencies) {
  const [state, set] = useState({ loading: true });
  const latest = useRef(0);
  const current = useRef(load);
  current.current = load;
  const reload = useCallback(async () => {
    const n = ++latest.current;
    try {
      const data = await current.current();
      if (n === latest.current) set({ data, loading: false });
    } catch (error) {
      if (n === latest.current && error.name !== 'AbortError') set((s) => ({ data: error.status === 0 ? s.data : undefined, error, loading: false }));
    }
  }, []);
  useEffect(() => { set((s) => ({ ...s, loading: true })); reload(); return () => { latest.current++; }; }, dependencies);
  return { ...state, reload };
}

// The route is in the fragment: the server sends one page, below any prefix.
function parseRoute() {
  const [path, search] = location.hash.replace(/^#/, '').split('?');
  return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(search || '') };
}
function decode(text) { try { return decodeURIComponent(text); } catch { return text; } }
export const route = signal(parseRoute());
addEventListener('hashchange', () => route.set(parseRoute()));
export function go(path) { location.hash = path; }
export function setQuery(values) {
  const q = new URLSearchParams(route.value.query);
  for (const [k, v] of Object.entries(values)) if (v === '' || v === undefined || v === false) q.delete(k); else q.set(k, v);
  const text = q.toString();
  history.replaceState(null, '', '#/' + route.value.parts.map(encodeURIComponent).join('/') + (text ? '?' + text : ''));
  route.set(parseRoute());
}

// Formats.
const numbers = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
export const number = (n) => Math.abs(n) < 10000 ? numbers.format(n) : short.format(n);
export const exact = (n) => numbers.format(n);
export function bytes(n) {
  if (!n) return '0 B';
  const unit = Math.max(0, Math.min(Math.floor(Math.log2(n) / 10), 4));
  const value = n / 2 ** (10 * unit);
  return `${value >= 100 || (unit === 0 && value >= 1) ? Math.round(value) : value.toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}
export function seconds(s) {
  if (s === 0) return '0 s';
  if (s < 0.001) return `${Math.round(s * 1e6)} µs`;
  if (s < 1) return `${s < 0.01 ? (s * 1000).toFixed(1) : Math.round(s * 1000)} ms`;
  if (s < 120) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} days`;
}
export function ago(time) {
  if (!time) return 'never';
  const s = (Date.now() - new Date(time)) / 1000;
  if (s < -1) return 'in ' + seconds(-s);
  return s < 60 ? 'just now' : seconds(s) + ' ago';
}
export function date(time) {
  if (!time) return '–';
  return new Date(time).toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
}
export const clock = (time) => new Date(time).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' }) + '.' + String(new Date(time).getMilliseconds()).padStart(3, '0');
export const shortID = (id) => (id || '').slice(0, 8);

export function functionURL(f) {
  const s = session.value || {};
  const https = s.https_port > 0;
  const port = https ? s.https_port : s.http_port;
  const usual = https ? 443 : 80;
  return `${https ? 'https' : 'http'}://${f.domain_name}${port && port !== usual ? ':' + port : ''}`;
}

// useNow renders a component again every 20 seconds, for relative times.
export function useNow() {
  const [, tick] = useState(0);
  useEffect(() => { const t = setInterval(() => tick((n) => n + 1), 20000); return () => clearInterval(t); }, []);
}

export function useDebounced(value, delay = 250) {
  const [late, set] = useState(value);
  useEffect(() => { const t = setTimeout(() => set(value), delay); return () => clearTimeout(t); }, [value]);
  return late;
}

export function useTitle(text) {
  useEffect(() => { document.title = text ? `${text} · Jeton` : 'Jeton'; }, [text]);
}
