import { html, useState, useEffect, useRef, useSignal, route, setQuery, own, region, clock, shortID } from './lib.js';
import { Card, Search, Button, Empty, Code } from './ui.js';
import { useStream } from './live.js';

// keptLines bounds the memory of a tab that stays open.
const keptLines = 2000;

// followEnd keeps a scrolled element at its end, unless the user has scrolled up.
export function useFollowEnd(dependency) {
  const ref = useRef(null);
  const [follow, setFollow] = useState(true);
  useEffect(() => { if (follow && ref.current) ref.current.scrollTop = ref.current.scrollHeight; }, [dependency, follow]);
  const onScroll = () => { const e = ref.current; setFollow(e.scrollHeight - e.scrollTop - e.clientHeight < 40); };
  return { ref, follow, setFollow, onScroll };
}

let lineID = 0;

export function useLog(id) {
  const [log, setLog] = useState({ lines: [], skipped: 0 });
  const [paused, setPaused] = useState(false);
  const waiting = useRef({ lines: [], skipped: 0 });
  const merge = (a, event) => {
    const all = [...a.lines, ...event.lines.map((l) => ({ ...l, n: ++lineID }))];
    const excess = Math.max(0, all.length - keptLines);
    return { lines: excess ? all.slice(excess) : all, skipped: a.skipped + event.skipped + excess };
  };
  const state = useStream(own(region.value, `/functions/${id}/log`), {
    open: () => { waiting.current = { lines: [], skipped: 0 }; setLog({ lines: [], skipped: 0 }); },
    lines: (event) => { if (paused) waiting.current = merge(waiting.current, event); else setLog((l) => merge(l, event)); },
  }, [id]);
  const resume = () => { const w = waiting.current; waiting.current = { lines: [], skipped: 0 }; setLog((l) => merge(l, { lines: w.lines, skipped: w.skipped })); setPaused(false); };
  return { ...log, state, paused, pause: () => setPaused(true), resume, clear: () => setLog({ lines: [], skipped: 0 }) };
}

export function Logs({ f }) {
  const { query: q } = useSignal(route);
  const request = q.get('request') || '';
  const [text, setText] = useState('');
  const log = useLog(f.id);
  const wanted = text.toLowerCase();
  const shown = log.lines.filter((l) => (!request || l.request_id === request) && (!wanted || l.message.toLowerCase().includes(wanted) || l.request_id === text || l.instance_id === text));
  const { ref, follow, setFollow, onScroll } = useFollowEnd(shown.length ? shown[shown.length - 1].n : 0);
  return html`<${Card} title="Log" actions=${html`<span class=${'connection ' + log.state}><span class="dot" aria-hidden="true"></span>${log.state === 'live' ? (log.paused ? 'Paused' : 'Live') : 'Connecting'}</span><${Button} kind="small" onClick=${log.paused ? log.resume : log.pause}>${log.paused ? 'Continue' : 'Pause'}<//>`}>
    <div class="filters pad-x"><${Search} label="Filter lines" placeholder="Text, request ID or instance ID" value=${text} onInput=${setText} />${request && html`<span class="filter-chip">Request <code>${shortID(request)}</code><${Button} kind="ghost" icon="close" label="Show all requests" onClick=${() => setQuery({ request: '' })} /></span>`}</div>
    ${log.lines.length === 0 ? html`<${Empty} icon="functions" title="No output yet"><p>What the function writes to standard output and standard error appears here at once. In a terminal:</p><${Code} text=${`jeton logs ${f.name} -f`} /><//>`
    : html`<div class="log" ref=${ref} onScroll=${onScroll} tabindex="0" role="log" aria-live="off" aria-label="Lines of the log">${log.skipped > 0 && html`<div class="log-note">${log.skipped.toLocaleString('en')} earlier lines are not shown</div>`}${shown.length === 0 && html`<div class="log-note">No line matches</div>`}${shown.map((l) => html`<div key=${l.n} class=${'log-line ' + (l.stream === 'stderr' ? 'stderr' : '')}><time>${clock(l.timestamp)}</time><a class="log-request" href=${`#/functions/${f.id}/logs?request=${l.request_id}`} title=${`Request ${l.request_id || '–'}, instance ${l.instance_id}`}>${shortID(l.request_id) || '–'}</a><span class="log-text">${l.message}</span></div>`)}</div>
    <div class="row spread pad"><span class="quiet">${shown.length.toLocaleString('en')} lines${shown.length !== log.lines.length ? ` of ${log.lines.length.toLocaleString('en')}` : ''}</span>${!follow && html`<${Button} kind="small" onClick=${() => setFollow(true)}>Go to the end<//>`}</div>`}<//>`;
}
