import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { assertFocus } from './assert-focus.ts';
import { holdRequests } from './hold-requests.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

describe('the search of the console', { skip: noBrowser }, () => {
  let view: Console;
  let record: Package;
  before(async () => {
    view = await openConsole();
    view.expectRefusals();
    record = await sealedPackage(view.door.registry, { 'report.json': '{"ok":true}' });
    await view.open();
    await view.signIn();
  });
  after(() => view?.[Symbol.asyncDispose]());

  async function search(text: string): Promise<void> {
    await view.page.getByLabel('Search').fill(text);
    await view.page.keyboard.press('Enter');
  }

  test('leads from the digest of a manifest to the package that it seals, in each form in which it is pasted', async () => {
    const { page } = view;
    const digest = record.manifest_digest!;
    for (const form of [digest, digest.slice('blake3:'.length), `"${digest}"`]) {
      await search(form);
      const sealed = page.getByRole('region', { name: 'Packages sealed with this manifest' }).last();
      await sealed.getByRole('link', { name: 'nightly run' }).waitFor();
      assert.equal(await page.getByText('Files with these bytes').count(), 0);
      const parts = await page.locator('.by-hand h3').allTextContents();
      assert.deepEqual(parts.slice(-2), ['Packages by the digest of their manifest', 'Packages by their name']);
      await view.assertAccessible();
      await search('nobody-knows-this');
      await page.getByText('Packages sealed with this manifest').waitFor({ state: 'detached' });
    }
    await search(digest);
    await page.getByRole('link', { name: 'nightly run' }).click();
    await page.getByText('as the class raw-evidence has it').first().waitFor();
    view.assertNothingWrong();
  });

  test('shows a file and a package that one digest names, one below the other', async () => {
    const { door, page } = view;
    const { bytes } = await door.registry.packages.manifest(record.id);
    const { record: keeper } = await door.registry.packages.create({
      ...{ name: 'manifests', producer: 'ci', subject: 'kept manifests', retention_class: 'raw-evidence' },
    });
    await door.registry.files.add(keeper.id, {
      relative_path: 'nightly.cbor',
      body: (async function* () {
        yield bytes;
      })(),
    });
    await search(record.manifest_digest!);
    await page.getByText('Files with these bytes').waitFor();
    await page.getByRole('link', { name: 'nightly.cbor' }).waitFor();
    await page
      .getByRole('region', { name: 'Packages sealed with this manifest' })
      .last()
      .getByRole('link', { name: 'nightly run' })
      .waitFor();
    view.assertNothingWrong();
  });

  test('says where nothing is found what is looked for, and what is not', async () => {
    const { page } = view;
    for (const text of ['report.json', '0'.repeat(64), `sha256:${record.manifest_digest!.slice('blake3:'.length)}`]) {
      await search(text);
      await page.getByText(`Nothing here is known by “${text}”`).waitFor();
      await page.getByText('Digests of files and of manifests, ids of packages and of files').waitFor();
      await page.getByText('Other ids, as of a hold, are not, nor are paths, names of files and metadata.').waitFor();
      await view.assertAccessible();
    }
    view.assertNothingWrong();
  });

  test('looks for names, producers and subjects whatever they look like', async () => {
    const { door, page } = view;
    const create = (name: string, subject: string) =>
      door.registry.packages.create({ name, subject, producer: 'ci', retention_class: 'raw-evidence' });
    const subject = `sha256:${'c'.repeat(64)}`;
    const unknownId = '0190163d-8694-739b-aea5-966c26f8ad91';
    await create('an image', subject);
    await create('d'.repeat(64), 'named as a digest');
    await create(unknownId, 'named as an id');
    await create(record.id, 'named as another package');
    for (const [text, link] of [
      [subject, 'an image'],
      ['d'.repeat(64), 'd'.repeat(64)],
      [unknownId, unknownId],
    ] as const) {
      await search(text);
      await page.getByRole('link', { name: link, exact: true }).waitFor();
      assert.equal(await page.getByText('Nothing here is known').count(), 0);
    }
    // Two things are called so: neither is shown before it is chosen.
    await search(record.id);
    await page.getByRole('link', { name: record.id, exact: true }).waitFor();
    await view.assertAccessible();
    await page.getByRole('heading', { name: 'What has this id' }).waitFor();
    await page.getByRole('link', { name: 'nightly run' }).click();
    await page.getByRole('heading', { name: 'nightly run' }).waitFor();
    // A name has no such character, so nothing is asked of the server.
    await view.open('search?q=a%00b');
    await view.signIn();
    await page.getByText('Nothing here is known by').waitFor();
    view.assertNothingWrong();
  });

  test('leads to all packages with a name where it does not show them', async () => {
    const { door, page } = view;
    for (let number = 0; number < 25; number++)
      await door.registry.packages.create({ name: 'same name', subject: `s${number}`, producer: 'ci', retention_class: 'raw-evidence' });
    await search('same name');
    await page.getByText('The newest 20 are shown.').waitFor();
    await view.assertAccessible();
    await page.getByRole('link', { name: 'All packages named same name' }).click();
    await page.getByText('25 shown, and no more').waitFor();
    view.assertNothingWrong();
  });

  test('keeps whoever types in it while a page is on its way', async () => {
    const { page } = view;
    const letGo = await holdRequests(page, '**/assets/usage-*.js');
    await page.getByRole('link', { name: 'Usage', exact: true }).click();
    await page.getByLabel('Search').pressSequentially('nightly');
    letGo();
    await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor();
    await page.keyboard.type(' run');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Packages named nightly run' }).last().waitFor();
    // What was looked for begins at its heading.
    await assertFocus(page, 'tagName', 'H1');
    view.assertNothingWrong();
  });

  test('begins at the heading of what is found, also where a search is quicker than the first page', async () => {
    const { page } = view;
    const letGo = await holdRequests(page, '**/assets/overview-*.js');
    await page.goto(view.url);
    await view.signIn();
    await search('nightly run');
    await page.getByRole('region', { name: 'Packages named nightly run' }).last().waitFor();
    await assertFocus(page, 'tagName', 'H1');
    letGo();
    view.assertNothingWrong();
  });

  test('keeps the field and what is typed in it where a search leads on', async () => {
    const { page } = view;
    const alone = await sealedPackage(view.door.registry, { 'a.txt': 'alone' }, { name: 'found alone' });
    await view.open();
    await view.signIn();
    const field = page.getByLabel('Search');
    await field.waitFor();
    await page.evaluate("globalThis.firstField = document.querySelector('search input'), undefined");
    const letGo = await holdRequests(page, `**/files/${alone.id}`);
    await search(alone.id);
    await assertFocus(page, 'tagName', 'H1');
    await field.fill('');
    await field.pressSequentially('another ');
    letGo();
    await page.getByRole('heading', { name: 'found alone', level: 1 }).waitFor();
    await page.keyboard.type('search');
    assert.equal(await field.inputValue(), 'another search');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing here is known by “another search”').waitFor();
    // Whoever searches on the page of a search begins at its heading too, and the way back tells what was asked.
    await search('found alone');
    await page.getByRole('region', { name: 'Packages named found alone' }).last().waitFor();
    await assertFocus(page, 'tagName', 'H1');
    await page.goBack();
    await page.getByText('Nothing here is known by “another search”').waitFor();
    assert.equal(await field.inputValue(), 'another search');
    await page.goBack();
    await page.getByRole('heading', { name: 'found alone', level: 1 }).waitFor();
    assert.equal(await field.inputValue(), '');
    assert.equal(await page.evaluate("globalThis.firstField === document.querySelector('search input')"), true, 'it is the same field');
    view.assertNothingWrong();
  });
});
