// What all scripts share: Chromium, a page that fails the script on any error, and steps.
import { chromium } from 'playwright-core';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import assert from 'node:assert/strict';

export { assert };
export const env = process.env;
export const base = env.JETON_URL + '/console/';

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--js-flags=--expose-gc'];

// browser starts Chromium with a profile of its own.
export async function browser(options = {}) {
  const context = await chromium.launchPersistentContext(fs.mkdtempSync(path.join(env.PROFILE, 'profile-')), {
    executablePath: env.CHROMIUM || '/usr/bin/chromium', headless: true, args: flags, viewport: { width: 1360, height: 860 }, timeout: 60000, ...options,
  });
  context.setDefaultTimeout(20000);
  return context;
}

// watched returns a new page. Errors, violations of the policy and requests to other
// servers are collected; the script must expect each of them.
export async function watched(context) {
  const page = await context.newPage();
  page.problems = [];
  page.on('console', (m) => { if (m.type() === 'error') page.problems.push('console: ' + m.text()); });
  page.on('pageerror', (e) => page.problems.push('error: ' + e.message + '\n' + e.stack));
  page.on('dialog', (d) => { page.problems.push('dialog: ' + d.message()); d.dismiss(); });
  page.on('request', (r) => { if (!r.url().startsWith(env.JETON_URL) && !r.url().startsWith('data:')) page.problems.push('request to another server: ' + r.url()); });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI));
  });
  return page;
}

export function noProblems(page) {
  const found = page.problems;
  page.problems = [];
  assert.deepEqual(found, [], 'the browser reports problems');
}

let step = '';
export async function check(name, run) {
  step = name;
  const began = performance.now();
  await run();
  console.log(`ok   ${name} (${Math.round(performance.now() - began)} ms)`);
}

export async function main(run) {
  let context;
  try {
    await run(async (options) => { context = await browser(options); return context; });
    await context.close();
  } catch (e) {
    console.log(`FAIL ${step}: ${e.stack}`);
    if (context) {
      for (const page of context.pages()) {
        console.log('problems:', page.problems, 'at', page.url());
        console.log(await page.evaluate(() => document.body.innerText.slice(0, 1500)).catch(() => ''));
      }
      await context.close().catch(() => {});
    }
    process.exit(1);
  }
  process.exit(0);
}

export async function signIn(page, key = env.JETON_KEY, address = base) {
  await page.goto(address);
  await page.getByLabel('Secret key of an API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.page-head h1').waitFor();
}

export async function open(page, fragment) {
  await page.evaluate((f) => { location.hash = f; }, fragment);
  await page.locator('.page-head h1').waitFor();
}

export const control = (path, body) => fetch(env.CONTROL + path, { method: 'POST', body });
export const report = (name, value) => control('/report/' + name, JSON.stringify(value));

export async function api(method, path, body, key = env.JETON_KEY) {
  const answer = await fetch(env.JETON_URL + path, { method, headers: { 'X-Auth-Token': key, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}
export const regional = '/functions/v1beta1/regions/fr-par';

// callFunction calls a function through the gateway, as a caller does.
export function callFunction(hostname, path, token) {
  const gateway = new URL(env.JETON_GATEWAY);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: gateway.hostname, port: gateway.port, path, headers: { Host: hostname, ...(token ? { 'X-Auth-Token': token } : {}) } }, (answer) => { answer.resume(); answer.on('end', () => resolve(answer.statusCode)); });
    request.on('error', reject);
    request.end();
  });
}

export async function namespace(name) {
  return readyNamespace((await api('POST', regional + '/namespaces', { name })).id);
}

// readyNamespace waits until a namespace takes changes again.
export async function readyNamespace(id) {
  for (let i = 0; i < 200; i++) {
    const n = await api('GET', regional + '/namespaces/' + id);
    if (n.status === 'ready') return n;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('the namespace does not become ready');
}

export async function deployed(namespaceID, name, values = {}) {
  const f = await api('POST', regional + '/functions', { namespace_id: namespaceID, name, runtime: 'node22', privacy: 'private', ...values });
  const zip = fs.readFileSync(env.CODE);
  const signed = await api('GET', `${regional}/functions/${f.id}/upload-url?content_length=${zip.length}`);
  const put = await fetch(signed.url, { method: 'PUT', body: zip, headers: { 'Content-Type': 'application/octet-stream' } });
  assert.equal(put.status, 200);
  await api('POST', `${regional}/functions/${f.id}/deploy`, {});
  return f;
}

export async function waitFor(id, status) {
  for (let i = 0; i < 600; i++) {
    const f = await api('GET', regional + '/functions/' + id);
    if (f.status === status) return f;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`the function does not become ${status}`);
}

// drop drops a file on an element, as a user drags it from a folder.
export async function drop(page, selector, file, name = 'function.zip') {
  const data = await page.evaluateHandle(([content, title]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], title, { type: 'application/zip' }));
    return transfer;
  }, [fs.readFileSync(file).toString('base64'), name]);
  await page.dispatchEvent(selector, 'dragover', { dataTransfer: data });
  await page.dispatchEvent(selector, 'drop', { dataTransfer: data });
}

export async function screenshot(page, name, options = {}) {
  fs.mkdirSync(env.SCREENSHOTS, { recursive: true });
  await page.waitForTimeout(250); // the end of transitions
  await page.screenshot({ path: path.join(env.SCREENSHOTS, name + '.png'), ...options });
}

// withoutToasts waits until messages have gone.
export const withoutToasts = (page) => page.waitForFunction(() => !document.querySelector('.toast'), null, { timeout: 15000 });

export const phone = { width: 390, height: 844 };
