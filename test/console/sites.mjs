// Another site, on another port of the same host like a function, cannot read, change,
// embed or sign out.
import { main, check, watched, assert, signIn, env, api, regional, base } from './browser.mjs';

await main(async (browser) => {
  const context = await browser();
  const user = await watched(context);
  await signIn(user);
  const page = await context.newPage();
  page.problems = [];
  await page.goto(env.ATTACKER);

  const count = async () => (await api('GET', regional + '/namespaces')).total_count;
  const before = await count();
  const target = env.JETON_URL;

  await check('cannot read', async () => {
    const read = await page.evaluate(async (url) => {
      const results = [];
      for (const path of ['/console/api/jeton/v1/session', '/console/session', '/console/api/functions/v1beta1/regions/fr-par/namespaces']) {
        for (const mode of ['cors', 'no-cors']) {
          try { const a = await fetch(url + path, { credentials: 'include', mode }); results.push(a.type === 'opaque' ? (await a.text()) : 'read ' + a.status); } catch { results.push(''); }
        }
      }
      return results;
    }, target);
    assert.deepEqual(read, ['', '', '', '', '', '']);
  });

  await check('cannot change, with fetch or a form', async () => {
    await page.evaluate(async (url) => {
      const path = url + '/console/api/functions/v1beta1/regions/fr-par/namespaces';
      for (const init of [
        { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"name":"attack"}', headers: { 'Content-Type': 'text/plain' } },
        { method: 'POST', mode: 'cors', credentials: 'include', body: '{"name":"attack"}', headers: { 'Content-Type': 'application/json', 'X-Jeton-Console': '1' } },
      ]) { try { await fetch(path, init); } catch { /* refused */ } }
      navigator.sendBeacon(path, '{"name":"attack"}');
    }, target);
    await page.evaluate((url) => {
      const form = document.createElement('form');
      form.method = 'post';
      form.enctype = 'text/plain';
      form.action = url + '/console/api/functions/v1beta1/regions/fr-par/namespaces';
      const input = document.createElement('input');
      input.name = '{"name":"attack","x":"';
      input.value = '"}';
      form.append(input);
      document.body.append(form);
      form.submit();
    }, target);
    await page.waitForTimeout(500);
    assert.equal(await count(), before, 'another site has created a namespace');
  });

  await check('cannot embed the console', async () => {
    await page.goto(env.ATTACKER);
    const shown = await page.evaluate((url) => new Promise((done) => {
      const frame = document.createElement('iframe');
      frame.onload = () => done(frame.contentDocument ? 'same origin' : 'loaded');
      frame.src = url;
      document.body.append(frame);
      setTimeout(() => done('none'), 1500);
    }), base);
    const frame = page.frames().find((f) => f !== page.mainFrame());
    assert.ok(!frame || !(await frame.evaluate(() => document.body.innerText).catch(() => '')).includes('Overview'), `the console is embedded (${shown})`);
  });

  await check('cannot sign out or sign in', async () => {
    await page.evaluate(async (url) => {
      for (const init of [{ method: 'DELETE', mode: 'cors', credentials: 'include' }, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"secret_key":"x"}' }]) {
        try { await fetch(url + '/console/session', init); } catch { /* refused */ }
      }
    }, target);
    await user.reload();
    await user.getByRole('heading', { name: 'Overview' }).waitFor();
  });
});
