// API keys: created, changed, rotated and revoked in the browser. The key of another session
// shows what each step does.
import { main, check, watched, noProblems, assert, signIn, open, env, regional, screenshot } from './browser.mjs';

const list = (key) => fetch(env.JETON_URL + regional + '/namespaces', { headers: { 'X-Auth-Token': key } }).then((a) => a.status);
const create = (key) => fetch(env.JETON_URL + regional + '/namespaces', { method: 'POST', headers: { 'X-Auth-Token': key, 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'n' + Date.now() }) }).then((a) => a.status);

await main(async (browser) => {
  const context = await browser();
  const page = await watched(context);
  await signIn(page);
  await open(page, '#/keys');
  const row = (text) => page.locator('tr', { hasText: text });
  const issued = async () => {
    const text = (await page.locator('#secret-key').textContent()).trim();
    assert.match(text, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    assert.ok(!(await page.content()).includes(text), 'the secret key is still in the page');
    return text;
  };
  let key = '';
  await check('creates a key, and shows its secret key once', async () => {
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByLabel('Description (required)').fill('pipeline');
    await page.getByLabel('Permissions').selectOption({ label: 'Read only' });
    await page.getByRole('button', { name: 'Create key' }).last().click();
    key = await issued();
    await row('pipeline').waitFor();
    await screenshot(page, 'keys');
    assert.equal(await list(key), 200);
    assert.equal(await create(key), 403, 'the key may only read');
  });
  await check('changes a key: requests have the new permissions', async () => {
    await page.getByRole('button', { name: 'Change pipeline' }).click();
    await page.getByLabel('Permissions').selectOption({ label: 'Full access' });
    await page.getByLabel('Description').fill('deployment');
    await page.getByLabel('Expires', { exact: true }).selectOption({ label: 'Never' });
    await page.getByRole('button', { name: 'Save' }).click();
    await row('deployment').getByText('Full access').waitFor();
    await row('deployment').getByText('never').first().waitFor();
    assert.equal(await create(key), 200);
  });
  await check('a wrong change is reported in the dialog', async () => {
    await page.getByRole('button', { name: 'Change deployment' }).click();
    await page.getByLabel('Expires', { exact: true }).selectOption({ label: 'Another time…' });
    await page.getByLabel('Expires at').fill('2020-01-01T00:00');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('dialog').getByText('is in the past').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    page.problems = page.problems.filter((p) => !p.includes('400'));
  });
  await check('rotates a key', async () => {
    await page.getByRole('button', { name: 'Rotate deployment' }).click();
    await page.getByLabel('The old key is valid').selectOption({ label: 'No time: it is refused at once' });
    await page.getByRole('button', { name: 'Rotate key' }).click();
    const next = await issued();
    assert.equal(await list(key), 401, 'the old key');
    assert.equal(await list(next), 200);
    key = next;
  });
  await check('revokes a key', async () => {
    await page.getByRole('button', { name: 'Revoke deployment' }).click();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await row('deployment').waitFor({ state: 'detached' });
    assert.equal(await list(key), 401);
    noProblems(page);
  });
  await check('a key of one project sees no page and changes nothing', async () => {
    const other = await watched(context);
    await other.evaluate(() => 0);
    await signOutAndIn(other);
    await open(other, '#/');
    assert.equal(await other.getByRole('link', { name: 'API keys' }).count(), 0);
    const status = await other.evaluate(() => fetch('api/jeton/v1/admin/api-keys', { method: 'POST', headers: { 'X-Jeton-Console': '1', 'Content-Type': 'application/json' }, body: '{"permissions":["FunctionsFullAccess"]}' }).then((a) => a.status));
    assert.equal(status, 403);
  });
  await check('revoking the key of the session ends it', async () => {
    await page.reload();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Secret key of an API key').waitFor();
    await signIn(page, env.SECOND_KEY);
    await open(page, '#/keys');
    await page.getByRole('button', { name: 'Revoke second' }).click();
    await page.getByText('This is the key of your session').waitFor();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('Your session has ended').waitFor();
  });
});

// signOutAndIn replaces the session of the browser by one with a project's key.
async function signOutAndIn(page) {
  await page.goto(env.JETON_URL + '/console/');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Secret key of an API key').waitFor();
  await signIn(page, env.PROJECT_KEY);
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}
