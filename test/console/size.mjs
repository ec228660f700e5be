// The size and time of the first page with 100 functions, beside the same bytes of a plain
// file server, and the times of lists with 10,000 functions and 1,000,000 tokens.
import os from 'node:os';
import { main, check, watched, noProblems, assert, signIn, open, report, env, base } from './browser.mjs';

const rounds = 9;

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await signIn(page);

  if (env.STEP === 'first') {
    const times = [];
    const reference = [];
    const work = [];
    const own = [];
    const sizes = [];
    const counts = [];
    let size = 0;
    let requests = 0;
    await check('the first page', async () => {
      // The first load of each is not measured: the reference records it.
      for (let i = -2; i < 2 * rounds; i++) {
        const plain = i % 2 !== 0;
        const fresh = await watched(context);
        // The time of the first frame with all rows, from the beginning of the navigation.
        await fresh.addInitScript(() => {
          const seen = new MutationObserver(() => {
            if (document.querySelectorAll('tbody tr').length < 50) return;
            seen.disconnect();
            requestAnimationFrame(() => { window.shownAfter = performance.now(); });
          });
          seen.observe(document, { subtree: true, childList: true });
        });
        const protocol = await context.newCDPSession(fresh);
        await protocol.send('Network.enable');
        await protocol.send('Network.setCacheDisabled', { cacheDisabled: true });
        await protocol.send('Performance.enable', { timeDomain: 'threadTicks' });
        size = 0;
        requests = 0;
        protocol.on('Network.loadingFinished', (e) => { size += e.encodedDataLength; requests++; });
        await fresh.goto((plain ? env.REFERENCE + '/console/' : base) + '#/functions', { waitUntil: 'commit' });
        await fresh.locator('tbody tr').nth(49).waitFor();
        await fresh.waitForFunction(() => window.shownAfter);
        const took = await fresh.evaluate(() => window.shownAfter);
        await fresh.waitForTimeout(200);
        const metrics = (await protocol.send('Performance.getMetrics')).metrics;
        if (i >= 0) (plain ? reference : times).push(took);
        const duration = (name) => 1000 * metrics.find((m) => m.name === name + 'Duration').value;
        if (i >= 0 && !plain) {
          work.push(duration('Task'));
          own.push(duration('Script') + duration('Layout') + duration('RecalcStyle'));
        }
        if (!plain) sizes.push(size), counts.push(requests);
        fresh.problems = fresh.problems.filter((p) => !p.startsWith('request to another server: ' + env.REFERENCE));
        noProblems(fresh);
        await fresh.close();
      }
    });
    for (const all of [times, reference, work, own]) all.sort((a, b) => a - b);
    const middle = Math.floor(rounds / 2);
    const text = (all) => `median ${Math.round(all[middle])} ms (${Math.round(all[0])} to ${Math.round(all[rounds - 1])})`;
    console.log(`first page with 100 functions: ${text(times)}, ${counts[0]} requests, ${sizes[0]} bytes`);
    console.log(`the same bytes of a plain file server: ${text(reference)}`);
    console.log(`CPU time of the main thread: ${text(work)}, of it scripts, styles and layout: ${text(own)}; load of the machine: ${os.loadavg()[0]} on ${os.cpus().length} CPUs`);
    // Other processes of the machine only add time: the fastest run is that of the page. If
    // they take half of the CPUs, only the CPU time and the reference say something about it.
    await report('busy', os.loadavg()[0] > os.cpus().length / 2 ? 1 : 0);
    await report('milliseconds', Math.round(times[0]));
    await report('reference_milliseconds', Math.round(reference[0]));
    await report('own_milliseconds', Math.round(own[middle]));
    await report('more_than_reference', Math.round(times[middle] - 1.5 * reference[middle]));
    await report('bytes', sizes[0]);
    return;
  }

  const timed = async (name, act, done) => {
    await check(name, async () => {
      const began = performance.now();
      await act();
      await done();
      const took = Math.round(performance.now() - began);
      console.log(`     ${name}: ${took} ms`);
      await report(name, took);
    });
  };
  await timed('functions', () => open(page, '#/functions'), () => page.getByText('of 10,000').waitFor());
  await timed('functions_search', () => page.getByLabel('Search functions').fill('09999'), () => page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody').textContent.includes('function-09999')));
  await timed('tokens', () => open(page, '#/tokens'), () => page.getByText('of 1,000,000').waitFor());
  assert.ok((await page.locator('tbody tr').first().textContent()).includes('caller 999999'), 'the newest token is not the first');
  await timed('tokens_last', () => open(page, '#/tokens?page=20000'), () => page.getByText('caller 0', { exact: true }).waitFor());
  await open(page, '#/');
  await page.getByRole('heading', { name: 'Tokens that expire soon' }).waitFor();
  await open(page, '#/tokens');
  await page.getByText('of 1,000,000').waitFor();
  await timed('tokens_search', () => page.getByLabel('Search tokens').fill('caller 1234567'.slice(0, 13)), () => page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody').textContent.includes('caller 123456')));
  await timed('tokens_expiring', () => open(page, '#/tokens?expiring=1'), () => page.getByText('caller 999000', { exact: true }).waitFor());
  noProblems(page);
});
