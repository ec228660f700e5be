// Texts of functions, users and errors that would execute in a careless page. Nothing
// executes, nothing is loaded, and every text is shown as it is.
import { main, check, watched, noProblems, assert, signIn, open, namespace, api, regional, env, readyNamespace } from './browser.mjs';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { deployed, waitFor } from './browser.mjs';

const texts = [
  '<script>window.executed = 1</script>', '<img src=x onerror="window.executed=2">', '"><svg onload=window.executed=3>', `'-window.executed=4-'`, 'javascript:window.executed=5',
  '<iframe srcdoc="<script>parent.executed=6</script>">', '</title><script>window.executed=7</script>', '${window.executed=8}', '{{constructor.constructor("window.executed=9")()}}',
  '<a href="javascript:window.executed=10">x</a>', '\u202Etxt.exe', '<style>body{display:none}</style>', '<base href="https://other.example/">', '<meta http-equiv="refresh" content="0;url=https://other.example/">', '&lt;script&gt;', '\u0000\u001b[31mred',
];
const all = texts.slice(0, -1).join(' ');

await main(async (browser) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'jeton-hostile-'));
  fs.writeFileSync(path.join(dir, 'handler.js'), `const texts = ${JSON.stringify(texts)};
exports.handle = async (event) => {
  for (const t of texts) { console.log(t); console.error(t); }
  if (event.path === '/fail') throw new Error(texts.join(' '));
  return { statusCode: 200, headers: { 'Content-Type': 'text/html', 'X-Hostile': ${JSON.stringify(texts[1])} }, body: texts.join('\\n') };
};`);
  execFileSync('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], "w"); z.write(sys.argv[2], "handler.js"); z.close()', path.join(dir, 'f.zip'), path.join(dir, 'handler.js')]);
  env.CODE = path.join(dir, 'f.zip');

  const n = await namespace('hostile');
  await api('PATCH', regional + '/namespaces/' + n.id, { description: all, environment_variables: { A: texts[0] } });
  await readyNamespace(n.id);
  const f = await deployed(n.id, 'hostile', { description: all, tags: texts.slice(0, 12).map((t) => t.slice(0, 60)), environment_variables: { HTML: all }, handler: 'handler.handle' });
  await waitFor(f.id, 'ready');
  const broken = path.join(dir, 'broken.zip');
  fs.writeFileSync(path.join(dir, 'handler.js'), `throw new Error(${JSON.stringify(all)});`);
  execFileSync('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], "w"); z.write(sys.argv[2], "handler.js"); z.close()', broken, path.join(dir, 'handler.js')]);
  env.CODE = broken;
  const bad = await deployed(n.id, 'broken', { description: all });
  await waitFor(bad.id, 'error');
  await api('POST', regional + '/tokens', { function_id: f.id, description: all });
  await api('POST', regional + '/crons', { function_id: f.id, schedule: '0 0 * * *', name: texts[1], args: { html: all } });
  await api('POST', '/account/v3/projects', { name: 'project', description: all }).catch(() => api('POST', '/account/v3/projects', { name: 'project' }));
  for (const p of ['/', '/fail']) await api('POST', `/jeton/v1/regions/fr-par/functions/${f.id}/call`, { path: p });
  await fetch(env.JETON_URL + '/functions/v1beta1/regions/fr-par/tokens/' + encodeURIComponent(texts[1]), { method: 'DELETE' });

  const context = await browser();
  const page = await watched(context);
  await signIn(page);
  const harmless = async (name) => {
    await page.waitForTimeout(500);
    assert.equal(await page.evaluate(() => window.executed), undefined, name + ': a text was executed');
    const injected = await page.evaluate(() => [...document.querySelectorAll('script:not([src]), iframe, object, embed, base, meta[http-equiv], img, style, [onerror], [onload], [onclick]')].map((e) => e.outerHTML));
    assert.deepEqual(injected, [], name + ': a text became markup');
    const links = await page.evaluate(() => [...document.querySelectorAll('a')].map((a) => a.protocol).filter((p) => p !== 'http:' && p !== 'https:'));
    assert.deepEqual(links, [], name + ': a link with another scheme');
    noProblems(page);
  };
  const pages = { overview: '#/', functions: '#/functions', namespaces: '#/namespaces', namespace: `#/namespaces/${n.id}/settings`, 'namespace as Terraform': `#/namespaces/${n.id}/terraform`, tokens: '#/tokens', audit: '#/audit', keys: '#/keys', projects: '#/projects', server: '#/server',
    'failed function': '#/functions/' + bad.id, 'build log': `#/functions/${bad.id}/deploy`, 'search': '#/functions?search=' + encodeURIComponent(texts[1]), 'fragment': '#/' + encodeURIComponent(texts[0]) + '/' + encodeURIComponent(texts[1]), 'request': `#/functions/${f.id}/logs?request=` + encodeURIComponent(texts[2]) };
  for (const tab of ['overview', 'call', 'logs', 'deploy', 'tokens', 'events', 'settings', 'terraform']) pages['function, ' + tab] = `#/functions/${f.id}/${tab}`;
  for (const [name, fragment] of Object.entries(pages)) await check(name, async () => { await page.evaluate((h) => { location.hash = h; }, fragment); await harmless(name); });

  await check('texts are shown unchanged', async () => {
    await open(page, `#/functions/${f.id}/logs`);
    for (const text of texts.slice(0, 4)) await page.locator('.log-text', { hasText: text }).first().waitFor();
    await open(page, '#/tokens');
    await page.getByText(texts[0]).first().waitFor();
  });
  await check('the answer of a call', async () => {
    await open(page, `#/functions/${f.id}/call`);
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.locator('.answer').waitFor();
    await page.getByText('Headers of the response').click();
    await page.getByText(texts[1]).first().waitFor();
    await harmless('call');
  });
  await check('Terraform strings are escaped', async () => {
    await open(page, `#/functions/${f.id}/terraform`);
    const code = await page.locator('.code code').first().textContent();
    assert.ok(code.includes('$${window.executed=8}') && !/[^$]\$\{/.test(code), 'a text becomes a template: ' + code);
    assert.ok(code.includes('\\"><svg'), 'a quote is not escaped');
  });
  await check('the console cannot execute text at all', async () => {
    // The driver itself may evaluate text: the page tries it later.
    const results = await page.evaluate(() => new Promise((done) => setTimeout(() => {
      const tries = {};
      try { eval('1'); tries.eval = 'ran'; } catch { tries.eval = 'refused'; }
      try { document.createElement('div').innerHTML = '<b>x</b>'; tries.markup = 'ran'; } catch { tries.markup = 'refused'; }
      try { setTimeout('window.executed = 11'); } catch { /* refused */ }
      done(tries);
    })));
    assert.deepEqual(results, { eval: 'refused', markup: 'refused' });
    await page.waitForTimeout(100);
    assert.equal(await page.evaluate(() => window.executed), undefined);
    page.problems = page.problems.filter((p) => !/policy|Trusted|unsafe-eval|Refused|Evaluating/.test(p));
    noProblems(page);
  });
});
