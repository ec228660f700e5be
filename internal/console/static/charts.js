// Charts are SVG. The values under the pointer, and those that the arrow keys select, are
// shown as text.
import { html, useState, useMemo, number, bytes } from './lib.js';
import { useID, Card, Callout } from './ui.js';

const width = 600;
const height = 150;
const pad = { top: 6, bottom: 6 };

// niceMax returns the upper end of an axis: a round number whose half is round, too.
function niceMax(value, format) {
  if (format === bytes) return value <= 0 ? 2 ** 20 : 2 ** Math.ceil(Math.log2(value));
  if (format === number && value <= 10) return Math.max(2, 2 * Math.ceil(value / 2));
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  for (const m of [1, 2, 2.5, 5, 10]) if (m * unit >= value) return m * unit;
  return 10 * unit;
}

function timeOf(series, i) { return new Date(new Date(series.start).getTime() + i * series.step_seconds * 1000); }
const label = (t) => t.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

// merge sums up neighbouring steps, so that a chart has a readable number of bars.
export function merge(series, lines, target = 120) {
  const count = lines.length ? lines[0].values.length : 0;
  const group = Math.max(1, Math.round(count / target));
  if (group === 1) return { step: series.step_seconds, start: series.start, lines };
  const offset = count % group;
  return {
    step: series.step_seconds * group,
    start: new Date(new Date(series.start).getTime() + offset * series.step_seconds * 1000).toISOString(),
    lines: lines.map((l) => {
      const values = [];
      for (let i = offset; i < count; i += group) {
        const part = l.values.slice(i, i + group);
        values.push(l.sum ? part.reduce((a, b) => a + b, 0) : Math.max(...part));
      }
      return { ...l, values };
    }),
  };
}

export function Chart({ title, series, lines, format = number }) {
  const [at, setAt] = useState(-1);
  const id = useID();
  const merged = useMemo(() => merge(series, lines), [series, lines]);
  const count = merged.lines[0].values.length;
  const top = niceMax(Math.max(...merged.lines.flatMap((l) => l.values)), format);
  const x = (i) => width * (count > 1 ? (i + 0.5) / count : 0.5);
  const y = (v) => pad.top + (height - pad.top - pad.bottom) * (1 - v / top);
  // Steps without calls have no duration: the line has gaps.
  const line = (l) => l.values.map((v, i) => {
    const gap = l.gaps && !v;
    if (gap) return '';
    const begins = i === 0 || (l.gaps && !l.values[i - 1]);
    return `${begins ? 'M' : 'L'}${x(i).toFixed(1)} ${y(v).toFixed(1)}${begins ? 'h.01' : ''}`;
  }).join('');
  const dots = (l) => l.values.map((v, i) => (v ? `M${x(i).toFixed(1)} ${y(v).toFixed(1)}h.01` : '')).join('');
  const bars = (l) => l.values.map((v, i) => (v ? `M${(x(i) - 0.39 * width / count).toFixed(1)} ${y(0)}V${Math.min(y(v), y(0) - 1.5).toFixed(1)}h${(0.78 * width / count).toFixed(1)}V${y(0)}z` : '')).join('');
  const shown = { start: merged.start, step_seconds: merged.step };
  const pick = (e) => {
    const box = e.currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(count - 1, Math.floor((e.clientX - box.left) / box.width * count))));
  };
  const key = (e) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -count, End: count }[e.key];
    if (!move) return;
    e.preventDefault();
    setAt(Math.max(0, Math.min(count - 1, (at < 0 ? count - 1 : at) + move)));
  };
  const totals = merged.lines.map((l) => l.sum ? l.values.reduce((a, b) => a + b, 0) : Math.max(...l.values));
  // A duration of 0 means that there were no calls.
  const shownValue = (l, v) => (l.gaps && !v ? '–' : format(v));
  const name = (l, i) => (i < 0 && !l.sum ? `${l.name}, most` : l.name);
  const text = (i) => merged.lines.map((l, n) => `${name(l, i)} ${shownValue(l, i < 0 ? totals[n] : l.values[i])}`).join(', ');
  return html`<figure class="chart"><figcaption><span class="chart-title" id=${id}>${title}</span><span class="legend">${merged.lines.map((l, n) => html`<span key=${l.name}><i class=${'swatch ' + l.color}></i>${name(l, at)} <b>${shownValue(l, at < 0 ? totals[n] : l.values[at])}</b></span>`)}${at >= 0 && html`<span class="quiet">${label(timeOf(shown, at))}</span>`}</span></figcaption>
    <div class="plot"><div class="axis y" aria-hidden="true">${[1, 0.5, 0].map((f) => html`<span key=${f}>${format(top * f)}</span>`)}</div>
    <svg viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" tabindex="0" aria-labelledby=${id} aria-describedby=${id + 'd'} onPointerMove=${pick} onPointerLeave=${() => setAt(-1)} onKeyDown=${key} onBlur=${() => setAt(-1)}>
      ${[0, 0.5, 1].map((f) => html`<line key=${f} class="grid" x1="0" x2=${width} y1=${y(top * f)} y2=${y(top * f)} />`)}
      ${merged.lines.map((l) => html`<g key=${l.name} class=${l.color}>${l.sum ? html`<path class="bars" d=${bars(l)} />` : html`${!l.gaps && html`<path class="area" d=${`${line(l)}L${x(count - 1)} ${y(0)}L${x(0)} ${y(0)}Z`} />`}<path class="line" d=${line(l)} />${l.gaps && html`<path class="dots" d=${dots(l)} />`}`}</g>`)}
      ${at >= 0 && html`<line class="cursor" x1=${x(at)} x2=${x(at)} y1="0" y2=${height} />`}
    </svg></div>
    <div class="axis x" aria-hidden="true">${[0, 0.5, 1].map((f) => html`<span key=${f}>${label(timeOf(shown, Math.round((count - 1) * f)))}</span>`)}</div>
    <p class="offscreen" id=${id + 'd'} aria-live=${at >= 0 ? 'polite' : 'off'}>${at >= 0 ? `${label(timeOf(shown, at))}: ${text(at)}` : `In the period: ${text(-1)}`}</p>
  </figure>`;
}

// Spark is a small line without axes.
export function Spark({ values }) {
  const top = Math.max(1, ...values);
  const d = values.map((v, i) => `${i ? 'L' : 'M'}${(i / Math.max(1, values.length - 1) * 100).toFixed(1)} ${(22 - v / top * 20).toFixed(1)}`).join('');
  return html`<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path d=${d} /></svg>`;
}

// MissingNodes says which nodes have not answered: their calls are missing in the charts.
export function MissingNodes({ series }) {
  const missing = series.missing_nodes || [];
  return missing.length ? html`<${Callout} title="Not all nodes answer"><p>The metrics of ${missing.join(', ')} are missing here.</p><//>` : null;
}

export function CallCharts({ series }) {
  return html`<${MissingNodes} series=${series} /><div class="charts"><${Card}><${Chart} title="Calls" series=${series} lines=${[{ name: 'calls', color: 'c1', values: series.calls, sum: true }, { name: 'errors', color: 'c-bad', values: series.errors, sum: true }]} /><//>
    <${Card}><${Chart} title="Cold starts" series=${series} lines=${[{ name: 'cold starts', color: 'c3', values: series.cold_starts, sum: true }]} /><//></div>`;
}

export const ranges = [{ value: 'hour', label: 'Last hour' }, { value: 'day', label: 'Last day' }];
