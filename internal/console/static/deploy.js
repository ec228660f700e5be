import { html, useState, useRef, api, fn, own, region, may, bytes, seconds, APIError } from './lib.js';
import { Card, Button, Problem, Status, Time, Table, Icon, Callout, toast } from './ui.js';
import { useStream } from './live.js';
import { useFollowEnd } from './logs.js';

// upload sends a file to the signed URL of the API, through the path of the console.
function upload(url, file, headers, progress) {
  const parsed = new URL(url, location.href);
  const path = parsed.pathname.slice(parsed.pathname.indexOf('/archives/')) + parsed.search;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', 'api' + path);
    request.setRequestHeader('X-Jeton-Console', '1');
    request.setRequestHeader('Content-Type', (headers['content-type'] || ['application/octet-stream'])[0]);
    request.upload.onprogress = (e) => progress(e.lengthComputable ? e.loaded / e.total : 0);
    request.onload = () => {
      if (request.status < 300) { resolve(); return; }
      let body = null;
      try { body = JSON.parse(request.responseText); } catch { /* not JSON */ }
      reject(new APIError(request.status, body));
    };
    request.onerror = () => reject(new APIError(0, { message: 'The upload was interrupted. Try again.' }));
    request.send(file);
  });
}

const steps = [['preparation', 'Prepare'], ['build in progress', 'Build'], ['pushed', 'Store'], ['', 'Start']];

function Steps({ f }) {
  const message = f.build_message || '';
  const at = message ? Math.max(0, steps.findIndex(([part]) => part && message.includes(part))) : f.status === 'pending' ? 0 : f.status === 'ready' ? steps.length : -1;
  return html`<ol class="steps" aria-label="Steps of the deployment">${steps.map(([, name], i) => html`<li key=${name} class=${at > i ? 'done' : at === i ? 'active' : ''} aria-current=${at === i ? 'step' : undefined}><span class="step-mark" aria-hidden="true">${at > i ? html`<${Icon} name="check" size=${13} />` : i + 1}</span>${name}</li>`)}</ol>`;
}

export function Drop({ f, onDone }) {
  const input = useRef(null);
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState(null);
  const [error, setError] = useState(null);
  const send = async (file) => {
    if (!file) return;
    setError(null);
    if (!/\.zip$/i.test(file.name)) { setError(new Error(`${file.name} is not a zip archive. Pack the source code with zip.`)); return; }
    setSending({ name: file.name, size: file.size, part: 0 });
    try {
      const signed = await api('GET', fn(region.value, `/functions/${f.id}/upload-url?content_length=${file.size}`));
      await upload(signed.url, file, signed.headers, (part) => setSending((s) => s && { ...s, part }));
      await api('POST', fn(region.value, `/functions/${f.id}/deploy`), {});
      toast('The code was uploaded. The deployment has started.');
      onDone();
    } catch (x) { setError(x); }
    setSending(null);
  };
  return html`<div class=${'drop' + (over ? ' over' : '')} onDragOver=${(e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${(e) => { e.preventDefault(); setOver(false); send(e.dataTransfer.files[0]); }}>
    <div class="empty-icon"><${Icon} name="up" size=${26} /></div>
    ${sending ? html`<p role="status"><strong>${sending.name}</strong>, ${bytes(sending.size)}</p><progress aria-label="Upload" max="1" value=${sending.part}></progress>`
    : html`<p><strong>Drop the zip archive of the code here</strong></p><p class="quiet">It is uploaded, built and deployed. The running version serves until the new one is ready.</p><${Button} onClick=${() => input.current.click()}>Choose a file<//>`}
    <input ref=${input} type="file" accept=".zip,application/zip" class="offscreen" tabindex="-1" aria-label="Zip archive" onChange=${(e) => { send(e.target.files[0]); e.target.value = ''; }} />
    ${error && html`<${Problem} error=${error} />`}</div>`;
}

export function BuildLog({ f }) {
  const [build, setBuild] = useState({ text: '', running: false });
  // The server bounds the log of a build. The page keeps its end.
  const state = useStream(own(region.value, `/functions/${f.id}/build`), {
    build: (e) => setBuild((b) => ({ text: ((e.replace ? '' : b.text) + e.text).slice(-400000), running: e.running })),
  }, [f.id]);
  const { ref, onScroll } = useFollowEnd(build.text.length);
  return html`<${Card} title="Build log" actions=${html`<span class=${'connection ' + (build.running ? 'busy' : state)}><span class="dot" aria-hidden="true"></span>${build.running ? 'Building' : state === 'live' ? 'Live' : 'Connecting'}</span>`}>
    ${build.text || build.running ? html`<pre class="log build" ref=${ref} onScroll=${onScroll} tabindex="0" role="log" aria-label="Build log">${build.text || 'The build has started.'}</pre>` : html`<p class="quiet pad">There is no build yet. Its output appears here while it runs.</p>`}<//>`;
}

export function Deployments({ data }) {
  if (!data) return null;
  const serving = data.serving;
  return html`<${Card} title="Deployments">${data.deployments.length === 0 ? html`<p class="quiet pad">No deployment since the server started.${serving ? ' The function serves an earlier one.' : ''}</p>`
    : html`<${Table} caption="Deployments" rows=${data.deployments} keyOf=${(d) => d.generation} columns=${[
      { title: 'Deployment', kind: 'main', cell: (d) => html`<strong>#${d.generation}</strong>${d.state_message && html`<span class="sub" title=${d.state_message}>${d.state_message}</span>`}` },
      { title: 'Result', cell: (d) => html`<${Status} status=${d.status} text=${d.status === 'created' ? 'Superseded' : undefined} />${serving && d.code_sha256 === serving.code_sha256 && d.status === 'ready' && d === data.deployments.find((x) => x.status === 'ready') ? html` <span class="tag">serving</span>` : ''}` },
      { title: 'Code', cell: (d) => html`<code title=${d.code_sha256}>${(d.code_sha256 || '').slice(0, 12)}</code>` },
      { title: 'Took', kind: 'num', cell: (d) => (d.status === 'pending' ? '–' : seconds(d.duration_seconds)) },
      { title: 'Started', kind: 'num', cell: (d) => html`<${Time} value=${d.started_at} />` },
    ]} />`}<//>`;
}

export function Deploy({ f, deployments, reload }) {
  const [error, setError] = useState(null);
  const again = async () => {
    setError(null);
    try { await api('POST', fn(region.value, `/functions/${f.id}/deploy`), {}); reload(); } catch (x) { setError(x); }
  };
  const data = deployments.data;
  return html`${f.status === 'error' && html`<${Callout} kind="error" title="The last deployment failed"><p class="mono">${f.error_message}</p><//>`}
    ${may('write') && html`<${Card}><${Drop} f=${f} onDone=${reload} />${(f.status === 'pending' || f.build_message) && html`<${Steps} f=${f} />`}${error && html`<${Problem} error=${error} />`}
      ${data && data.uploaded_sha256 && html`<div class="row spread pad wrap"><span class="quiet">Uploaded code <code title=${data.uploaded_sha256}>${data.uploaded_sha256.slice(0, 12)}</code></span><${Button} kind="small" onClick=${again}>Deploy it again<//></div>`}<//>`}
    <${BuildLog} f=${f} /><${Deployments} data=${data} />`;
}
