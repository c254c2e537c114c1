import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';

const evil = '<img src=x onerror=alert(1)>';

describe('a new package in the console', { skip: noBrowser }, () => {
  let view: Console;
  before(async () => {
    view = await openConsole({ identity: await narrowIdentity({ role: 'writer', producers: [{ glob: 'team-*' }] }) });
    const { registry } = view.door;
    await registry.packages.create({ name: 'n', producer: 'ci', subject: 's', retention_class: 'transient' });
    await registry.metadataSchemas.register({
      slug: 'build.v1',
      json_schema: { type: 'object', required: ['build'], properties: { build: { type: 'integer' } } },
    });
    await view.page.goto(`${view.url}packages`);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(() => view[Symbol.asyncDispose]());

  test('is made by the keyboard, with metadata as push reads it', async () => {
    const { page } = view;
    await page.getByRole('link', { name: 'New package' }).press('Enter');
    await page.getByRole('heading', { name: 'New package' }).waitFor();
    await view.assertAccessible();
    await page.getByLabel('Name', { exact: true }).focus();
    await page.keyboard.type(evil);
    await page.keyboard.press('Tab');
    await page.keyboard.type('ci');
    await page.getByLabel('Key 1').focus();
    await page.keyboard.type('build');
    await page.keyboard.press('Tab');
    await page.keyboard.type('42');
    await page.getByRole('button', { name: 'Add a line' }).press('Enter');
    await page.locator('[aria-label="Key 2"]:focus').waitFor();
    await page.keyboard.type('branch');
    await page.keyboard.press('Tab');
    await page.keyboard.type('main');
    await page.getByText('Do the same in a terminal').click();
    await page
      .getByText(`--name '${evil}' --producer ci --retention-class raw-evidence --metadata build=42 --metadata branch=main`)
      .waitFor();
    await view.assertAccessible();
    // Pressed twice, it is one package.
    await page.getByRole('button', { name: 'Create it' }).dblclick();
    await page.getByRole('heading', { name: evil }).waitFor();
    const { items } = await view.door.registry.packages.list({ producer: 'ci', subject: evil });
    assert.equal(items.length, 1);
    assert.deepEqual(items[0]!.metadata, { build: 42, branch: 'main' });
    assert.match(page.url(), new RegExp(`packages/${items[0]!.id}$`));
    view.assertNothingWrong();
  });

  test('says of every field what is wrong with it, before anything is sent', async () => {
    const { page } = view;
    const sent: string[] = [];
    page.on('request', (request) => void (request.method() === 'POST' && sent.push(request.url())));
    await view.open('packages/new');
    const create = page.getByRole('button', { name: 'Create it' });
    assert.equal(await page.locator('[aria-invalid=true]').count(), 0);
    await page.getByLabel('Value 1').fill('a value alone');
    await create.click();
    await page.locator('#problem-name').getByText('A package needs a name.').waitFor();
    await page.locator('#problem-producer').getByText('A package needs a producer.').waitFor();
    await page.locator('#problem-metadata').getByText('This value has no key.').waitFor();
    await page.locator('[name=name]:focus').waitFor();
    await view.assertAccessible();
    // What is mended is told of no longer, and the next one has the focus.
    await page.getByLabel('Name', { exact: true }).fill('n');
    await page.locator('#problem-name').getByText('needs').waitFor({ state: 'detached' });
    await page.getByLabel('Producer').fill('x'.repeat(257));
    await create.click();
    await page.locator('#problem-producer').getByText('256').waitFor();
    await page.locator('[name=producer]:focus').waitFor();
    await page.getByLabel('Producer').fill('ci');
    await create.click();
    await page.locator('[name=key]:focus').waitFor();
    assert.deepEqual(sent, []);
    view.assertNothingWrong();
  });

  test('is refused at the field that is wrong, in the words of the server', async () => {
    const { page } = view;
    view.expectRefusals();
    await view.open('packages/new');
    const create = page.getByRole('button', { name: 'Create it' });
    await page.getByLabel('Name', { exact: true }).fill('n');
    await page.getByLabel('Producer').fill('ci');
    await page.getByLabel('Key 1').fill('build');
    await page.getByLabel('Value 1').fill('a value');
    await page.getByLabel('Schema of the metadata').selectOption('build.v1');
    await create.click();
    await page.locator('#problem-metadata').getByText('build').waitFor();
    await view.assertAccessible();
    await page.getByLabel('Value 1').fill('7');
    await create.click();
    await page.getByRole('heading', { name: 'n', exact: true }).waitFor();
    view.assertNothingWrong();
  });

  test('is offered only for producers that are the person’s to write', async () => {
    const { page } = view;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await view.signIn(narrowToken);
    await page.getByRole('navigation').getByRole('link', { name: 'Packages' }).click();
    await page.getByRole('link', { name: 'New package' }).click();
    await page.getByLabel('Name', { exact: true }).fill('mine');
    await page.getByLabel('Producer').fill('ci');
    await page.getByText('You may not write packages of ci.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Create it' }).count(), 0);
    await page.getByLabel('Producer').fill('team-a');
    await page.getByRole('button', { name: 'Create it' }).click();
    await page.getByRole('heading', { name: 'mine' }).waitFor();
    await page.getByRole('button', { name: 'Abandon' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Hold', exact: true }).count(), 0);
    view.assertNothingWrong();
  });
});
