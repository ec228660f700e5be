// Any node of a cluster shows all of them: the page is of a node that is not the home of the
// function.
import { main, check, watched, noProblems, assert, signIn, open, env, screenshot } from './browser.mjs';

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await signIn(page);
  await check('the list has the calls at the home', async () => {
    await open(page, '#/functions');
    await page.locator('tr', { hasText: 'hello' }).locator('td[data-title="Calls, 1 h"]', { hasText: env.CALLS }).waitFor();
  });
  await check('the log of the home, live', async () => {
    await open(page, `#/functions/${env.FUNCTION}/logs`);
    await page.locator('.log-text', { hasText: 'Hello /from-the-test' }).first().waitFor();
  });
  await check('the build of the home', async () => {
    await open(page, `#/functions/${env.FUNCTION}/deploy`);
    await page.getByText('The build succeeded.').waitFor();
  });
  await check('the charts have the calls at the home', async () => {
    await open(page, `#/functions/${env.FUNCTION}/overview`);
    await page.locator('.stat', { hasText: 'Calls' }).locator('.stat-value', { hasText: env.CALLS }).waitFor();
    assert.equal(await page.getByText('Not all nodes answer').count(), 0);
  });
  await check('the state of each node', async () => {
    await open(page, '#/server');
    for (const name of ['node1', 'node2', 'node3']) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('heading', { name, exact: true }).waitFor();
      await page.getByRole('heading', { name: 'Toolchains' }).waitFor();
    }
    await screenshot(page, 'cluster');
    assert.equal(await page.locator('.status.ready', { hasText: 'Member' }).count(), 3);
  });
  noProblems(page);
});
