// Server-sent events: one stream of changes for the page, and streams for logs. A hidden
// tab has no stream; when it is shown again, everything is loaded again.
import { useEffect, useRef, useState, endSession, own, signal, region } from './lib.js';

export const connection = signal('connecting');
const followers = new Set();
const publish = (event, data) => followers.forEach((f) => f(event, data));

let source = null;
let retry = 0;
let failures = 0;
let wanted = false;
let hideTimer = 0;

const ended = () => endSession('Your session has ended: the API key was revoked or has expired.');

function open() {
  close();
  if (!wanted || document.hidden) return;
  connection.set('connecting');
  const opened = new EventSource('api' + own(region.value, '/events'));
  source = opened;
  opened.onopen = () => {
    connection.set('live');
    if (failures > 0) publish('reset');
    failures = 0;
  };
  opened.addEventListener('changes', (e) => publish('changes', JSON.parse(e.data)));
  opened.addEventListener('sample', () => publish('sample'));
  opened.addEventListener('reset', () => publish('reset'));
  opened.addEventListener('end', () => { close(); ended(); });
  opened.onerror = () => {
    failures++;
    connection.set('lost');
    // A refused stream is not retried by the browser. The next request of the page finds
    // out why.
    if (opened.readyState === EventSource.CLOSED && source === opened) {
      close();
      clearTimeout(retry);
      retry = setTimeout(() => { publish('reset'); open(); }, Math.min(1000 * 2 ** failures, 30000));
    }
  };
}

function close() {
  clearTimeout(retry);
  if (source) source.close();
  source = null;
}

export function start() { if (!wanted) { wanted = true; open(); } }
export function stop() { wanted = false; close(); connection.set('connecting'); }
region.follow(() => { if (wanted) { open(); publish('reset'); } });

document.addEventListener('visibilitychange', () => {
  clearTimeout(hideTimer);
  if (document.hidden) {
    hideTimer = setTimeout(() => { if (source) { close(); failures = 1; } }, 20000);
  } else if (wanted && !source) open();
});

// useLive calls handle(event, data) for changes, sample and reset.
export function useLive(handle) {
  const current = useRef(handle);
  current.current = handle;
  useEffect(() => {
    const f = (event, data) => current.current(event, data);
    followers.add(f);
    return () => followers.delete(f);
  }, []);
}

// useStream opens another stream while the component exists and the tab is shown, and
// returns whether it is open.
export function useStream(path, handlers, dependencies) {
  const [state, set] = useState('connecting');
  const current = useRef(handlers);
  current.current = handlers;
  useEffect(() => {
    let opened = null;
    let timer = 0;
    const begin = () => {
      opened = new EventSource('api' + path);
      opened.onopen = () => { set('live'); if (current.current.open) current.current.open(); };
      for (const name of Object.keys(handlers)) if (name !== 'open') opened.addEventListener(name, (e) => current.current[name](JSON.parse(e.data)));
      opened.addEventListener('end', () => { finish(); ended(); });
      opened.onerror = () => {
        set('lost');
        if (opened && opened.readyState === EventSource.CLOSED) { finish(); timer = setTimeout(begin, 3000); }
      };
    };
    const finish = () => { clearTimeout(timer); if (opened) opened.close(); opened = null; };
    const shown = () => { if (document.hidden) finish(); else if (!opened) begin(); };
    shown();
    document.addEventListener('visibilitychange', shown);
    return () => { document.removeEventListener('visibilitychange', shown); finish(); };
  }, dependencies);
  return state;
}
