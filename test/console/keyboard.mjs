// The keyboard reaches what the mouse does. The keys follow each other faster than a person
// presses them, several times: focus that moves late shows.
import { main, check, watched, noProblems, assert, signIn, namespace, deployed, waitFor, base } from './browser.mjs';

const rounds = 8;

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await signIn(page);
  const n = await namespace('shop');
  const f = await deployed(n.id, 'hello');
  await waitFor(f.id, 'ready');

  const focused = () => page.evaluate(() => {
    const e = document.activeElement;
    return { text: e.textContent.trim(), label: e.getAttribute('aria-label'), ring: getComputedStyle(e).outlineStyle, part: e.closest('nav, form, .page-head, dialog')?.className || '' };
  });
  // reach presses Tab until the element with the name, in the part of the page, has the focus.
  const reach = async (name, part = '') => {
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press('Tab');
      const at = await focused();
      if ((at.text !== name && at.label !== name) || !at.part.includes(part)) continue;
      assert.notEqual(at.ring, 'none', `${name} has no visible focus`);
      return;
    }
    assert.fail(`the keyboard does not reach ${name}`);
  };

  for (let round = 1; round <= rounds; round++) {
    await check(`round ${round}`, async () => {
      await page.goto('about:blank');
      await page.goto(base + '#/functions');
      await page.getByRole('link', { name: 'hello' }).waitFor();
      await page.keyboard.press('Tab');
      assert.equal((await focused()).text, 'Skip to content');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
      await reach('hello');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'hello' }).waitFor();
      // The link in the head of the page is removed when its section is shown.
      await reach('Call', 'page-head');
      await page.keyboard.press('Enter');
      await page.getByLabel('Path').waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.id), 'section', 'the focus is lost with the link');
      await reach('Call', 'pad');
      await page.keyboard.press('Enter');
      await page.locator('.answer').waitFor();
      await page.waitForFunction(() => !document.querySelector('[aria-busy]'));
      assert.equal((await focused()).text, 'Call', 'the focus is lost during the call');
      await page.keyboard.press('Shift+Tab');
      assert.equal((await focused()).text, 'Add header');
      await reach('Tokens', 'tabs');
      await page.keyboard.press('Enter');
      await page.getByText('No tokens yet').waitFor();
      assert.equal((await focused()).text, 'Tokens', 'the focus leaves the sections');
      await page.goto(base + '#/tokens');
      await page.getByRole('heading', { name: 'Tokens', exact: true }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'the focus is not on the new page');
      await reach('Create token');
      await page.keyboard.press('Enter');
      await page.locator('dialog[open]').waitFor();
      assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)), 'the focus is not in the dialog');
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
      assert.equal((await focused()).text, 'Create token', 'the focus does not return');
    });
  }
  noProblems(page);
});
