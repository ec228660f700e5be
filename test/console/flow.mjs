// A user's first hour: sign in, deploy by drag and drop, watch the build, call, create and
// revoke a token. It also makes the screenshots of docs/console.md.
import { main, check, watched, noProblems, assert, base, env, open, drop, screenshot, withoutToasts, callFunction, api, regional, phone, namespace, deployed, waitFor } from './browser.mjs';

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  let hostname = '';
  let id = '';

  await check('a wrong key is refused', async () => {
    await page.goto(base);
    await page.getByLabel('Secret key of an API key').waitFor();
    noProblems(page);
    await screenshot(page, 'sign-in');
    await page.getByLabel('Secret key of an API key').fill('11111111-1111-4111-8111-111111111111');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('does not accept this secret key').waitFor();
    page.problems = page.problems.filter((p) => !p.includes('401'));
    noProblems(page);
  });

  await check('a key signs in, with a cookie that scripts cannot read', async () => {
    await page.getByLabel('Secret key of an API key').fill(env.JETON_KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const cookies = await context.cookies();
    assert.equal(cookies.length, 1);
    assert.deepEqual([cookies[0].httpOnly, cookies[0].sameSite, cookies[0].path], [true, 'Strict', '/console']);
    assert.equal(await page.evaluate(() => document.cookie), '');
    assert.ok(!(await page.content()).includes(env.JETON_KEY), 'the secret key is in the page');
    await page.getByText('Deploy the first function').waitFor();
    await screenshot(page, 'empty');
  });

  await check('creates a function in a new namespace', async () => {
    await page.getByRole('link', { name: 'Create a function' }).click();
    await page.getByLabel('Name (required)', { exact: true }).fill('hello');
    await page.getByLabel('Name of the new namespace').fill('shop');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByText('Drop the zip archive of the code here').waitFor();
    id = page.url().match(/functions\/([^/]+)/)[1];
  });

  await check('refuses a file that is no archive', async () => {
    await drop(page, '.drop', env.CODE, 'function.tar');
    await page.getByText('function.tar is not a zip archive').waitFor();
  });

  await check('deploys a dropped archive, and shows the build live', async () => {
    await page.evaluate(() => {
      window.seen = [];
      new MutationObserver(() => {
        const log = document.querySelector('.log.build');
        const mark = document.querySelector('.connection.busy') ? 'running: ' : '';
        if (log) window.seen.push(mark + log.textContent);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await drop(page, '.drop', env.CODE);
    await page.locator('.page-head .status.ready').waitFor({ timeout: 60000 });
    await page.getByText('The build succeeded.').waitFor();
    const seen = await page.evaluate(() => window.seen);
    assert.ok(seen.some((s) => s.startsWith('running: ')), 'the log was not shown while the build ran');
    await page.getByText('serving').first().waitFor();
    noProblems(page);
    await withoutToasts(page);
    await screenshot(page, 'deploy');
  });

  await check('calls the private function', async () => {
    await page.getByRole('link', { name: 'Call', exact: true }).first().click();
    await page.getByLabel('Path').fill('/orders?id=7');
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.locator('.answer .code-status', { hasText: '200' }).waitFor();
    await page.getByText('"path": "/orders"').waitFor();
    await screenshot(page, 'call');
    await page.getByRole('link', { name: 'its log lines' }).click();
    await page.locator('.log-text', { hasText: 'Hello /orders' }).waitFor();
    const f = await api('GET', regional + '/functions/' + id);
    hostname = f.domain_name;
    assert.equal(await callFunction(hostname, '/', ''), 403, 'the function is not private');
    const left = await api('GET', `${regional}/tokens?function_id=${id}`);
    assert.equal(left.total_count, 0, 'the token of the call was not deleted');
  });

  await check('shows new log lines without reload', async () => {
    await open(page, `#/functions/${id}/logs`);
    await page.locator('.log-line').first().waitFor();
    await api('POST', `/jeton/v1/regions/fr-par/functions/${id}/call`, { path: '/live-line' });
    await page.locator('.log-text', { hasText: 'Hello /live-line' }).waitFor({ timeout: 5000 });
  });

  let token = '';
  await check('creates a token, and shows its value once', async () => {
    await open(page, `#/functions/${id}/tokens`);
    await page.getByRole('button', { name: 'Create token' }).first().click();
    await page.getByLabel('Description (required)').fill('billing');
    await page.getByRole('button', { name: 'Create token' }).last().click();
    token = await page.locator('#token-value').textContent();
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy value' }).click();
    await page.getByText('Copied', { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByText('billing').first().waitFor();
    assert.ok(!(await page.content()).includes(token), 'the value of the token is still in the page');
    assert.equal(await callFunction(hostname, '/with-token', token), 200);
  });

  if (Number(env.WARM)) await check('traffic for the charts', () => traffic(id, hostname, token, Number(env.WARM)));

  await check('revokes the token; the next call is refused, and counted', async () => {
    const f = await api('GET', regional + '/functions/' + id);
    await api('POST', regional + '/tokens', { namespace_id: f.namespace_id, description: 'deployment pipeline' });
    await api('POST', regional + '/tokens', { function_id: id, description: 'partner', expires_at: new Date(Date.now() + 3 * 86400000).toISOString() });
    await open(page, '#/tokens');
    await page.getByText('expires soon').waitFor();
    await page.getByRole('button', { name: 'Revoke billing' }).click();
    await page.getByText('Callers with').waitFor();
    await screenshot(page, 'revoke');
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('billing was revoked').waitFor();
    for (let i = 0; i < 3; i++) assert.equal(await callFunction(hostname, '/revoked', token), 403);
    await page.locator('.refused-count', { hasText: '3' }).waitFor({ timeout: 15000 });
    await screenshot(page, 'tokens');
  });

  await check('changes of others appear without reload', async () => {
    await open(page, '#/functions');
    await page.getByRole('link', { name: 'hello' }).waitFor();
    const n = await namespace('other');
    const f = await deployed(n.id, 'made-elsewhere');
    await page.getByRole('link', { name: 'made-elsewhere' }).waitFor({ timeout: 5000 });
    await page.locator('tr', { hasText: 'made-elsewhere' }).locator('.status.ready').waitFor({ timeout: 60000 });
    await api('PATCH', `${regional}/functions/${f.id}`, { handler: 'missing.handle' });
    await waitFor(f.id, 'error');
    await page.locator('tr', { hasText: 'made-elsewhere' }).locator('.status.error').waitFor({ timeout: 5000 });
    await screenshot(page, 'functions');
    await page.getByRole('link', { name: 'made-elsewhere' }).click();
    await page.getByText('The last deployment failed').waitFor();
    await screenshot(page, 'error');
    noProblems(page);
  });

  await check('all other pages', async () => {
    await open(page, '#/functions/' + id);
    await page.getByRole('heading', { name: 'Deployments' }).waitFor();
    await page.waitForTimeout(5500); // the next sample of the metrics
    await screenshot(page, 'function');
    await open(page, '#/');
    await page.getByRole('heading', { name: 'Busiest functions' }).waitFor();
    await screenshot(page, 'overview');
    for (const [name, text] of [['server', 'Toolchains'], ['audit', 'Endpoint'], ['keys', 'this session'], ['projects', 'Project'], ['namespaces', 'shop']]) {
      await open(page, '#/' + name);
      await page.getByText(text).first().waitFor();
      if (name === 'server' || name === 'audit') await screenshot(page, name);
    }
    await open(page, `#/functions/${id}/terraform`);
    await page.getByText('import {').waitFor();
    await screenshot(page, 'terraform');
    await open(page, `#/functions/${id}/logs`);
    await page.locator('.log-line').first().waitFor();
    await screenshot(page, 'log');
    noProblems(page);
  });

  await check('dark mode, by the system and by choice', async () => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await open(page, '#/');
    await page.getByRole('heading', { name: 'Busiest functions' }).waitFor();
    const light = await background();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await background();
    assert.notEqual(light, dark);
    await screenshot(page, 'overview-dark');
    await page.getByRole('button', { name: /^Theme of the system/ }).click();
    assert.equal(await background(), light, 'the light theme by choice');
    await page.getByRole('button', { name: /^Light theme/ }).click();
    assert.equal(await background(), dark, 'the dark theme by choice');
    await page.emulateMedia({ colorScheme: 'light' });
    assert.equal(await background(), dark);
    await open(page, '#/functions/' + id);
    await page.getByRole('heading', { name: 'Deployments' }).waitFor();
    await screenshot(page, 'function-dark');
    await page.getByRole('button', { name: /^Dark theme/ }).click();
  });

  await check('on a phone', async () => {
    await page.setViewportSize(phone);
    for (const [name, fragment] of [['phone-overview', '#/'], ['phone-functions', '#/functions'], ['phone-function', '#/functions/' + id], ['phone-tokens', '#/tokens']]) {
      await open(page, fragment);
      await page.waitForTimeout(600);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${fragment} is ${wide} pixels wider than a phone`);
      await screenshot(page, name);
    }
    await page.getByRole('button', { name: 'Open menu' }).click();
    await page.getByRole('link', { name: 'Audit log' }).waitFor();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByRole('heading', { name: 'Audit log' }).waitFor();
    await page.setViewportSize({ width: 1360, height: 860 });
  });

  await check('deletes the function', async () => {
    await open(page, `#/functions/${id}/settings`);
    await page.getByRole('button', { name: 'Delete function' }).click();
    const confirm = page.getByRole('button', { name: 'Delete', exact: true });
    assert.ok(await confirm.isDisabled(), 'the name must be typed first');
    await page.getByLabel('Type hello to confirm').fill('hello');
    await confirm.click();
    await page.getByRole('heading', { name: 'Functions' }).waitFor();
    await page.waitForFunction(() => ![...document.querySelectorAll('td a.strong')].some((a) => a.textContent === 'hello'), null, { timeout: 20000 });
  });

  await check('signs out', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await context.cookies(), []);
    noProblems(page);
  });
});

// traffic calls the function for some time, with a rate that varies.
async function traffic(id, hostname, token, seconds) {
  const end = Date.now() + seconds * 1000;
  for (let n = 0; Date.now() < end; n++) {
    const rate = 6 + 5 * Math.sin(n / 9) + (n % 17 === 0 ? 14 : 0);
    await Promise.all(Array.from({ length: Math.round(rate) }, (_, i) => callFunction(hostname, n % 23 === 0 && i === 0 ? '/fail' : '/orders/' + i, token)));
    await new Promise((done) => setTimeout(done, 400));
  }
}
