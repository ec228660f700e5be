// axe-core checks every page in both themes and on a phone for WCAG 2.1 A and AA.
import { main, check, watched, noProblems, assert, signIn, open, namespace, deployed, waitFor, api, regional, report, phone, base } from './browser.mjs';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const source = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
let pages = 0;
let rules = 0;
const violations = []; // of all pages, so that one run shows all

// The policy of the page forbids inline scripts: the driver evaluates axe.
async function axe(page, name) {
  await page.waitForTimeout(250);
  await page.evaluate(source);
  const result = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values } }), tags);
  const found = result.violations.map((v) => `${v.id} (${v.impact}): ${v.help}\n` + v.nodes.slice(0, 4).map((n) => `    ${n.target.join(' ')}: ${n.failureSummary}`).join('\n'));
  for (const f of found) violations.push(`${name}: ${f}`);
  pages++;
  rules += result.passes.length;
}

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await page.goto(base);
  await page.getByLabel('Secret key of an API key').waitFor();
  await check('sign-in', () => axe(page, 'sign-in'));
  await signIn(page);
  await check('empty overview', () => axe(page, 'empty overview'));
  for (const empty of ['functions', 'namespaces', 'tokens']) await check('empty ' + empty, async () => { await open(page, '#/' + empty); await axe(page, empty); });

  const n = await namespace('shop');
  const f = await deployed(n.id, 'hello', { environment_variables: { COLOR: 'blue' }, secret_environment_variables: [{ key: 'PASSWORD', value: 'secret-value' }] });
  const bad = await deployed(n.id, 'failing', { handler: 'missing.handle' });
  await waitFor(f.id, 'ready');
  await waitFor(bad.id, 'error');
  await api('POST', regional + '/tokens', { function_id: f.id, description: 'soon', expires_at: new Date(Date.now() + 86400000).toISOString() });
  await api('POST', regional + '/tokens', { namespace_id: n.id, description: 'all' });
  await api('POST', regional + '/crons', { function_id: f.id, schedule: '0 * * * *', name: 'hourly', args: {} });
  await api('POST', `/jeton/v1/regions/fr-par/functions/${f.id}/call`, { path: '/fail' });

  const all = ['#/', '#/functions', '#/namespaces', '#/tokens', '#/tokens?expiring=1', '#/tokens?search=none', '#/keys', '#/projects', '#/audit', '#/server', '#/functions/' + bad.id, `#/namespaces/${n.id}`,
    ...['functions', 'metrics', 'settings', 'terraform'].map((t) => `#/namespaces/${n.id}/${t}`), ...['overview', 'call', 'logs', 'deploy', 'tokens', 'events', 'settings', 'terraform'].map((t) => `#/functions/${f.id}/${t}`), '#/functions/00000000-0000-4000-8000-000000000000'];
  for (const [look, prepare] of [
    ['light', async () => {}], ['dark', () => page.emulateMedia({ colorScheme: 'dark' })],
    ['phone', async () => { await page.emulateMedia({ colorScheme: 'light' }); await page.setViewportSize(phone); }],
  ]) {
    await check('all pages: ' + look, async () => {
      await prepare();
      for (const fragment of all) {
        await open(page, fragment);
        await page.waitForTimeout(450);
        await axe(page, `${look} ${fragment}`);
      }
    });
  }
  await page.setViewportSize({ width: 1360, height: 860 });

  await check('dialogs', async () => {
    await open(page, '#/functions?create=1');
    await page.locator('dialog').waitFor();
    await axe(page, 'create a function');
    await page.keyboard.press('Escape');
    await open(page, '#/tokens');
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByLabel('Description (required)').fill('axe');
    await axe(page, 'create a token');
    await page.getByRole('button', { name: 'Create token' }).last().click();
    await page.locator('#token-value').waitFor();
    await axe(page, 'a new token');
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'Revoke axe' }).click();
    await axe(page, 'revoke a token');
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('axe was revoked').waitFor();
    await axe(page, 'a revoked token');
  });

  await check('values of secrets are not shown', async () => {
    await open(page, `#/functions/${f.id}/settings`);
    await page.getByText('PASSWORD').waitFor();
    const content = await page.content();
    assert.ok(!content.includes('secret-value') && !content.includes('$argon2'), 'a secret or its hash is in the page');
  });
  assert.deepEqual(violations, [], 'axe finds violations');
  page.problems = page.problems.filter((p) => !p.includes('404'));
  noProblems(page);
  console.log(`axe-core found no violation: ${pages} pages, ${rules} rules passed`);
  await report('pages', pages);
});
