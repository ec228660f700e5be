import { html, useState, api, own, region, may, seconds, bytes, functionURL, shortID } from './lib.js';
import { Card, Button, Field, Problem, Callout, Code, Icon } from './ui.js';

let headerID = 0;

// Call sends a request to the function. The server sends it, with a token that it creates
// for one minute and deletes after the call, so that private functions can be tried.
export function Call({ f }) {
  const [method, setMethod] = useState('GET');
  const [path, setPath] = useState('/');
  const [headers, setHeaders] = useState([]);
  const [body, setBody] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [answer, setAnswer] = useState(null);
  const send = async (e) => {
    e.preventDefault();
    if (busy) return; // not disabled: the button keeps the focus
    setBusy(true);
    setError(null);
    try {
      setAnswer(await api('POST', own(region.value, `/functions/${f.id}/call`), {
        call_method: method, path, call_headers: headers.filter((h) => h.name).map(({ name, value }) => ({ name, value })), body: ['GET', 'HEAD'].includes(method) ? '' : body,
      }));
    } catch (x) { setError(x); setAnswer(null); }
    setBusy(false);
  };
  const set = (id, field, value) => setHeaders((all) => all.map((h) => (h.id === id ? { ...h, [field]: value } : h)));
  const url = functionURL(f);
  const curl = `curl${method === 'GET' ? '' : ' -X ' + method} ${f.privacy === 'public' ? '' : '-H "X-Auth-Token: $TOKEN" '}${headers.filter((h) => h.name).map((h) => `-H '${(h.name + ': ' + h.value).replace(/'/g, "'\\''")}' `).join('')}${body && !['GET', 'HEAD'].includes(method) ? `-d '${body.replace(/'/g, "'\\''")}' ` : ''}'${(url + (path.startsWith('/') ? path : '/' + path)).replace(/'/g, "'\\''")}'`;
  if (!may('call')) return html`<${Callout} title="This API key may not call functions"><p>Calls need a key with FunctionsPrivateAccess or FunctionsFullAccess.</p><//>`;
  return html`<div class="call">
    <${Card} title="Request"><form class="pad" onSubmit=${send}>
      <div class="request-line"><${Field} label="Method" options=${['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']} value=${method} onInput=${setMethod} /><${Field} label="Path" value=${path} onInput=${setPath} autocomplete="off" spellcheck="false" /></div>
      <p class="quiet clip" title=${url + path}>${url + path}</p>
      <h3>Headers</h3>
      <div class="pairs">${headers.map((h) => html`<div class="pair" key=${h.id}><input class="mono" aria-label="Name of the header" placeholder="Content-Type" value=${h.name} onInput=${(e) => set(h.id, 'name', e.target.value)} /><input class="mono" aria-label=${`Value of ${h.name || 'the header'}`} placeholder="application/json" value=${h.value} onInput=${(e) => set(h.id, 'value', e.target.value)} /><${Button} kind="ghost" icon="trash" label="Remove header" onClick=${() => setHeaders((all) => all.filter((x) => x.id !== h.id))} /></div>`)}</div>
      <${Button} kind="small" icon="plus" onClick=${() => setHeaders((all) => [...all, { id: ++headerID, name: '', value: '' }])}>Add header<//>
      ${!['GET', 'HEAD'].includes(method) && html`<${Field} label="Body" rows=${7} class="mono" value=${body} onInput=${setBody} spellcheck="false" />`}
      <div class="row spread wrap"><span class="quiet small-text"><${Icon} name=${f.privacy === 'public' ? 'globe' : 'lock'} size=${14} /> ${f.privacy === 'public' ? 'The function is public: no token is needed.' : 'The server calls with a token of one minute.'}</span><button class="button primary" type="submit" aria-disabled=${busy ? 'true' : undefined} aria-busy=${busy ? 'true' : undefined}><${Icon} name="play" size=${15} /><span>${busy ? 'Calling…' : 'Call'}</span></button></div>
    </form><//>
    <${Card} title="Response" kind="response">${error && html`<div class="pad"><${Problem} error=${error} /></div>`}
      ${answer ? html`<${Answer} answer=${answer} f=${f} />` : !error && html`<div class="pad quiet"><p>The response appears here.</p><p>The same call from a terminal:</p></div><${Code} label="curl command" text=${curl} />`}<//>
  </div>`;
}

function Answer({ answer, f }) {
  const [raw, setRaw] = useState(false);
  const kind = answer.status_code === 0 ? 'bad' : answer.status_code < 300 ? 'good' : answer.status_code < 500 ? 'warn' : 'bad';
  let shown = answer.body;
  let formatted = false;
  if (!raw && !answer.body_is_base64) { try { shown = JSON.stringify(JSON.parse(answer.body), null, 2); formatted = shown !== answer.body; } catch { /* not JSON */ } }
  return html`<div class="answer" aria-live="polite"><div class="row wrap answer-line pad-x"><span class=${'code-status ' + kind}>${answer.status_code || 'No answer'}</span><span>${seconds(answer.duration_seconds)}</span><span>${bytes(answer.body_bytes)}</span>${answer.token_id && html`<span class="quiet" title=${answer.token_id}>token ${shortID(answer.token_id)}, deleted</span>`}</div>
    <${Code} label="Body of the response" text=${shown || '(empty)'} />
    <div class="pad-x row wrap">${answer.body_is_base64 && html`<span class="quiet">The body is not text: it is shown in base64.</span>`}${answer.body_is_truncated && html`<span class="warn-text">Only the first MiB is shown.</span>`}${formatted || raw ? html`<${Button} kind="small" onClick=${() => setRaw(!raw)}>${raw ? 'Format JSON' : 'Show unchanged'}<//>` : null}</div>
    <details class="pad"><summary>Headers of the response</summary><dl class="headers">${answer.call_headers.map((h, i) => html`<div key=${i}><dt>${h.name}</dt><dd>${h.value}</dd></div>`)}</dl></details>
    ${answer.call_request_id && html`<p class="pad-x quiet">Request <code>${answer.call_request_id}</code> · <a href=${`#/functions/${f.id}/logs?request=${answer.call_request_id}`}>its log lines</a></p>`}</div>`;
}
