// A tab that stays open: rounds of what happens in a day. The memory of the tab and of the
// server is the same after the first and after the last round.
import { main, check, watched, noProblems, assert, signIn, open, report, control } from './browser.mjs';

const rounds = 6;

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await signIn(page);
  await open(page, '#/functions');
  await page.locator('tbody tr').first().waitFor();
  const id = await page.evaluate(() => document.querySelector('td a.strong').hash.split('/').pop());
  await open(page, `#/functions/${id}/logs`);
  const protocol = await context.newCDPSession(page);
  const used = async () => {
    for (let i = 0; i < 4; i++) { await protocol.send('HeapProfiler.collectGarbage'); await page.waitForTimeout(150); }
    const heap = await protocol.send('Runtime.getHeapUsage');
    const counters = await protocol.send('Memory.getDOMCounters');
    const server = Number(await (await control('/memory')).text());
    return { browser: heap.usedSize, nodes: counters.nodes, listeners: counters.jsEventListeners, server };
  };
  const measured = [];
  for (let round = 1; round <= rounds; round++) {
    await check(`round ${round}`, async () => {
      const done = await control('/busy?function=' + id);
      assert.equal(done.status, 200, await done.text());
      await page.locator('.log-text', { hasText: 'line 19999 of a long day' }).first().waitFor({ timeout: 60000 });
      for (const fragment of ['#/', '#/functions', '#/tokens', '#/server', `#/functions/${id}/overview`, `#/functions/${id}/logs`]) { await open(page, fragment); await page.waitForTimeout(250); }
      await page.locator('.log-line').first().waitFor();
      await page.waitForTimeout(1500);
      const lines = await page.locator('.log-line').count();
      assert.ok(lines <= 2000, `${lines} lines are kept`);
      measured.push(await used());
      const m = measured.at(-1);
      console.log(`     tab ${(m.browser / 2 ** 20).toFixed(1)} MiB, ${m.nodes} nodes, ${m.listeners} listeners; server ${(m.server / 2 ** 20).toFixed(1)} MiB`);
    });
  }
  // The first round fills caches and rings.
  await report('browser_growth', measured.at(-1).browser - measured[0].browser);
  await report('server_growth', measured.at(-1).server - measured[0].server);
  assert.ok(measured.at(-1).listeners - measured[0].listeners < 200, 'listeners are left behind');
  noProblems(page);
});
