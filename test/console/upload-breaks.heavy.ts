import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { dropFiles } from './drop-files.ts';
import { type NarrowIdentity, narrowIdentity, narrowToken, renewedToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { holdPieces, newLarge, offsetOf, watchPieces, withDirectory } from './upload-pieces.ts';

describe('an upload of the console that breaks off', { skip: noBrowser }, () => {
  let view: Console;
  let identity: NarrowIdentity;
  const directory = withDirectory();
  before(async () => {
    identity = await narrowIdentity({ role: 'writer', producers: [{ exact: 'ci' }] });
    view = await openConsole({ identity });
    // A search for an id asks for a package and for a file.
    view.expectRefusals();
    mkdirSync(directory.path('folder'));
    for (const name of ['a.txt', 'b.txt']) writeFileSync(directory.path(`folder/${name}`), name);
    await view.page.goto(`${view.url}packages`);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(async () => {
    await view[Symbol.asyncDispose]();
    directory.remove();
  });

  let large: Buffer;
  beforeEach(() => {
    large = newLarge();
    for (const name of ['large.bin', 'folder/large.bin']) writeFileSync(directory.path(name), large);
  });
  const openPackage = async (): Promise<string> => {
    const { registry } = view.door;
    return (await registry.packages.create({ name: 'breaks', producer: 'ci', subject: 's', retention_class: 'transient' })).record.id;
  };
  const assertStored = async (id: string, path: string): Promise<void> => {
    const found = (await view.door.registry.files.list(id)).items.find((file) => file.relative_path === path);
    assert.equal(found?.digest_sha256, createHash('sha256').update(large).digest('hex'));
  };
  /** What a browser says by itself of a request that was cut. */
  const forgiveCuts = (): void => {
    view.wrong.splice(0, view.wrong.length, ...view.wrong.filter((text) => !/ERR_(FAILED|CONNECTION|ABORTED)/.test(text)));
  };

  test('by a reload: dropped again, it continues where the server has it', async () => {
    const id = await openPackage();
    const { page } = view;
    await view.open(`packages/${id}`);
    const { held, from } = await holdPieces(page, 2);
    await dropFiles(page, directory.path('folder'));
    await page.getByRole('button', { name: 'Add 3 files' }).click();
    await held;
    assert.equal(from[0], 0);
    await page.getByText('2 of 3 files are stored').waitFor();
    let asked = '';
    page.once('dialog', (dialog) => {
      asked = dialog.type();
      void dialog.accept();
    });
    await page.reload();
    assert.equal(asked, 'beforeunload');
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByText('A file has begun and is not whole yet.').waitFor();
    await page.getByText('folder/large.bin').waitFor();
    await view.assertAccessible();
    const later = watchPieces(page);
    await dropFiles(page, directory.path('folder'));
    await page.getByRole('button', { name: 'Add 3 files' }).click();
    await page.getByText('All 3 files are stored').waitFor({ timeout: 30_000 });
    assert.equal(later[0], from[2]);
    assert.ok(later[0]! > 0);
    await assertStored(id, 'folder/large.bin');
    await page.reload();
    await page.getByText('Drop files and folders here').waitFor();
    await page.waitForLoadState('networkidle');
    assert.equal(await page.getByText('has begun and').count(), 0);
    forgiveCuts();
    view.assertNothingWrong();
  });

  test('by a reload: it is given up by who does not want it any more', async () => {
    const id = await openPackage();
    const { page } = view;
    await view.open(`packages/${id}`);
    const { held } = await holdPieces(page, 1);
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await held;
    page.once('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByText('A file has begun').waitFor();
    await page.getByRole('button', { name: 'Give it up' }).click();
    await page.getByText('A file has begun').waitFor({ state: 'detached' });
    const open = await view.door.registry.uploads!.list({});
    assert.deepEqual(
      open.items.filter((upload) => upload.package_id === id),
      [],
    );
    forgiveCuts();
    view.assertNothingWrong();
  });

  test('by a reload: who gives it up while the server does not answer is told so, and can do it later', async () => {
    const id = await openPackage();
    const { page } = view;
    await view.open(`packages/${id}`);
    const { held } = await holdPieces(page, 1);
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await held;
    page.once('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByText('A file has begun').waitFor();
    await page.route(/\/uploads\/[^/]+$/, (route) => route.abort());
    await page.getByRole('button', { name: 'Give it up' }).click();
    await page.locator('.interrupted').getByRole('alert').waitFor();
    await page.getByText('A file has begun').waitFor();
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByRole('button', { name: 'Give it up' }).click();
    await page.getByText('A file has begun').waitFor({ state: 'detached' });
    const open = await view.door.registry.uploads!.list({});
    assert.equal(
      open.items.some((upload) => upload.package_id === id),
      false,
    );
    forgiveCuts();
    view.assertNothingWrong();
  });

  test('by a pause that is taken back before all have stopped: none is left behind', async () => {
    const id = await openPackage();
    const { page } = view;
    await view.open(`packages/${id}`);
    // The first file that is read takes long, and cannot be stopped meanwhile.
    await page.evaluate(`{
      const read = Blob.prototype.arrayBuffer;
      const { promise, resolve } = Promise.withResolvers();
      globalThis.letGo = resolve;
      globalThis.isReading = false;
      Blob.prototype.arrayBuffer = async function () {
        if (!globalThis.isReading) {
          globalThis.isReading = true;
          await promise;
        }
        return await read.call(this);
      };
    }`);
    await dropFiles(page, directory.path('folder'));
    await page.getByRole('button', { name: 'Add 3 files' }).click();
    const isReading = (): Promise<boolean> => page.evaluate<boolean>('globalThis.isReading');
    for (let tries = 0; tries < 600 && !(await isReading()); tries++) await page.waitForTimeout(50);
    assert.equal(await isReading(), true);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.evaluate('globalThis.letGo()');
    await page.getByText('All 3 files are stored').waitFor({ timeout: 30_000 });
    await assertStored(id, 'folder/large.bin');
    forgiveCuts();
    view.assertNothingWrong();
  });

  test('by a token that ends: it asks for another of the same person, and continues', async () => {
    const id = await openPackage();
    const { page } = view;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await view.signIn(narrowToken);
    await view.page.getByLabel('Search').fill(id);
    await page.keyboard.press('Enter');
    await page.getByText('Drop files and folders here').waitFor();
    const from: number[] = [];
    await page.route(/\/uploads\/[^/]+$/, async (route) => {
      if (route.request().method() === 'PATCH') from.push(offsetOf(route.request()));
      if (from.length === 3) identity.end();
      await route.continue();
    });
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByRole('dialog').getByText('The token has expired.').waitFor({ timeout: 30_000 });
    await view.assertAccessible();
    const before = from.length;
    await view.signIn(renewedToken);
    await page.getByText('The file is stored, and its digest').waitFor({ timeout: 30_000 });
    await page.unroute(/\/uploads\/[^/]+$/);
    assert.ok(from[before]! > 0, from.join(' '));
    await assertStored(id, 'large.bin');
    view.assertNothingWrong();
  });

  test('by a pause, and while another page is shown', async () => {
    const id = await openPackage();
    const { page } = view;
    await page.getByLabel('Search').fill(id);
    await page.keyboard.press('Enter');
    const { held, from } = await holdPieces(page, 2);
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await held;
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused: nothing is sent.').waitFor();
    await view.assertAccessible();
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Packages' }).click();
    await page.getByRole('link', { name: 'Adding files is paused' }).click();
    const later = watchPieces(page);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('navigation').getByRole('link', { name: 'Storage' }).click();
    await page.getByRole('link', { name: /Adding files/ }).waitFor({ state: 'detached', timeout: 30_000 });
    await assertStored(id, 'large.bin');
    assert.equal(later[0], from[2]);
    forgiveCuts();
    view.assertNothingWrong();
  });

  test('by a seal in another tab: what is not stored by then is told to be refused', async () => {
    const id = await openPackage();
    const { page } = view;
    await page.getByLabel('Search').fill(id);
    await page.keyboard.press('Enter');
    const { held } = await holdPieces(page, 1);
    await dropFiles(page, directory.path('folder'));
    await page.getByRole('button', { name: 'Add 3 files' }).click();
    await held;
    await page.getByText('2 of 3 files are stored').waitFor();
    await view.door.registry.packages.finalize(id);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused: nothing is sent.').waitFor();
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('Stored: 2 files. Refused: 1.').waitFor({ timeout: 30_000 });
    await page.getByText('package_not_open').waitFor();
    await page.getByText('artifactstore pull').waitFor();
    await view.assertAccessible();
    forgiveCuts();
    view.assertNothingWrong();
  });
});
