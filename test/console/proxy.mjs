// The console behind a reverse proxy that adds a path.
import { main, check, watched, noProblems, assert, open, drop, env } from './browser.mjs';

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await check('the address without a slash', async () => {
    await page.goto(env.JETON_URL + '/console');
    await page.getByLabel('Secret key of an API key').waitFor();
    assert.equal(page.url(), env.JETON_URL + '/console/');
  });
  await check('signs in, with a cookie for the path', async () => {
    await page.getByLabel('Secret key of an API key').fill(env.JETON_KEY);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const [cookie] = await context.cookies();
    assert.equal(cookie.path, '/tools/jeton/console');
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
  await check('receives events, deploys and calls', async () => {
    await page.locator('.sidebar .connection.live').waitFor();
    await open(page, '#/functions?create=1');
    await page.getByLabel('Name (required)', { exact: true }).fill('hello');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByText('Drop the zip archive of the code here').waitFor();
    await drop(page, '.drop', env.CODE);
    await page.locator('.page-head .status.ready').waitFor({ timeout: 60000 });
    await page.getByRole('link', { name: 'Call', exact: true }).first().click();
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await page.locator('.answer .code-status', { hasText: '200' }).waitFor();
    noProblems(page);
  });
  await check('signs out', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await context.cookies(), []);
  });
});
