import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

describe('the search of the console', { skip: noBrowser }, () => {
  let view: Console;
  let record: Package;
  before(async () => {
    view = await openConsole();
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
      await page.getByText('Digests of files and of manifests').waitFor();
      await page.getByText('Paths, names of files and metadata are not.').waitFor();
    }
    view.assertNothingWrong();
  });
});
