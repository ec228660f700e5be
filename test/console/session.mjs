// A session ends with its API key, and shows what the key permits.
import { main, check, watched, noProblems, assert, signIn, open, control, env, base, namespace, deployed, waitFor } from './browser.mjs';

await main(async (browser) => {
  const context = await browser();
  const n = await namespace('shop');
  const f = await deployed(n.id, 'hello');
  await waitFor(f.id, 'ready');

  await check('a key that may read only sees no actions', async () => {
    const page = await watched(await context);
    await signIn(page, env.READ_KEY);
    await open(page, '#/functions/' + f.id);
    await page.getByRole('heading', { name: 'Deployments' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Call', exact: true }).count(), 1, 'only the tab Call');
    await open(page, `#/functions/${f.id}/call`);
    await page.getByText('This API key may not call functions').waitFor();
    await open(page, `#/functions/${f.id}/settings`);
    await page.getByText('Variables').first().waitFor();
    for (const name of ['Save settings', 'Save variables', 'Delete function']) assert.equal(await page.getByRole('button', { name }).count(), 0, name);
    for (const section of ['API keys', 'Audit log', 'Server']) assert.equal(await page.getByRole('link', { name: section }).count(), 0, section);
    await open(page, '#/tokens');
    await page.getByText('No tokens yet').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Create token' }).count(), 0);
    noProblems(page);
    const refused = await page.evaluate(async () => {
      const send = (method, path, body) => fetch('api' + path, { method, body, headers: { 'X-Jeton-Console': '1', 'Content-Type': 'application/json' } }).then((a) => a.status);
      return [await send('POST', '/functions/v1beta1/regions/fr-par/namespaces', '{"name":"x"}'), await send('GET', '/jeton/v1/audit'), await send('GET', '/jeton/v1/state'), await send('GET', '/jeton/v1/api-keys')];
    });
    assert.deepEqual(refused, [403, 403, 403, 403]);
    await page.close();
    await context.clearCookies();
  });

  await check('a key that may only call is refused with a reason', async () => {
    const page = await watched(context);
    await page.goto(base);
    await page.getByLabel('Secret key of an API key').fill(env.CALL_KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The console needs a key with').waitFor();
    assert.deepEqual(await context.cookies(), []);
    await page.close();
  });

  await check('a page whose module cannot be loaded says so and can be tried again', async () => {
    const page = await watched(context);
    await signIn(page);
    await page.route('**/tokens.js', (r) => r.abort());
    await page.evaluate(() => { location.hash = '#/tokens'; });
    await page.getByText('The page could not be loaded').waitFor();
    await page.unroute('**/tokens.js');
    page.problems = page.problems.filter((p) => !p.includes('net::ERR_FAILED'));
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('No tokens yet').waitFor();
    noProblems(page);
    await page.close();
    await context.clearCookies();
  });

  await check('open pages and streams end with the key', async () => {
    const first = await watched(context);
    await signIn(first);
    await open(first, `#/functions/${f.id}/logs`);
    await first.locator('.card .connection.live').first().waitFor();
    const second = await watched(context);
    await second.goto(base + '#/tokens');
    await second.getByText('No tokens yet').waitFor();
    const [cookie] = await context.cookies();
    const began = Date.now();
    await control('/revoke');
    await first.bringToFront();
    await first.getByText('Your session has ended').waitFor();
    await second.bringToFront();
    await second.getByText('Your session has ended').waitFor();
    console.log(`     both pages showed the end after ${Date.now() - began} ms`);
    for (const path of ['/console/api/jeton/v1/session', '/console/session', '/console/api/jeton/v1/regions/fr-par/events']) {
      const answer = await fetch(env.JETON_URL + path, { headers: { Cookie: `${cookie.name}=${cookie.value}`, 'X-Jeton-Console': '1' } });
      assert.equal(answer.status, 401, path + ' with the old cookie');
    }
    assert.ok(!(await first.content()).includes('hello'), 'data is still in the page');
  });
});
