import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { token } from '../doors/rest/open-door.ts';
import { assertFocus } from './assert-focus.ts';
import { dropFiles } from './drop-files.ts';
import { holdRequests } from './hold-requests.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';

describe('files that are chosen twice, or are refused, in the console', { skip: noBrowser }, () => {
  let view: Console;
  let place: string;
  before(async () => {
    place = mkdtempSync(join(tmpdir(), 'artifactstore-chosen-'));
    view = await openConsole();
    await view.page.goto(`${view.url}packages`);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(async () => {
    await view[Symbol.asyncDispose]();
    rmSync(place, { recursive: true, force: true });
  });

  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(place, path)), { recursive: true });
      writeFileSync(join(place, path), content);
    }
  };
  const openPackage = async (): Promise<Package> =>
    (await view.door.registry.packages.create({ name: 'chosen', producer: 'ci', subject: 's', retention_class: 'transient' })).record;
  const stored = async (id: string): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries((await view.door.registry.files.list(id)).items.map((file) => [file.relative_path, file.digest_sha256]));
  const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

  test('a folder that is dropped twice before it is added is added once; other bytes at one path are refused', async () => {
    write({ 'again/a.txt': 'a', 'again/b.txt': 'b', 'one/version.txt': '1.0.1', 'two/version.txt': '1.0.2' });
    mkdirSync(join(place, 'again/nothing'));
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await dropFiles(page, join(place, 'again'));
    await page.getByText('2 files, 2 bytes, are ready to be added.').waitFor();
    assert.equal(await page.getByText('chosen more than once').count(), 0);
    await dropFiles(page, join(place, 'again'));
    await page.getByText('All these files were chosen more than once: each is added once.').waitFor();
    await page.getByText('2 files, 2 bytes, are ready to be added.').waitFor();
    await page.getByText('An empty folder is left out').waitFor();
    const input = page.locator('input[type=file]').first();
    await input.setInputFiles(join(place, 'one/version.txt'));
    // As long, and not the same.
    await input.setInputFiles(join(place, 'two/version.txt'));
    await page.getByText('All these files were chosen more than once').waitFor();
    await view.assertAccessible();
    await page.getByRole('button', { name: 'Add 3 files' }).click();
    await page.getByText('Stored: 2 files. Refused: 1.').waitFor();
    await page.getByText('Files that differ were chosen for this path. None of them is sent').waitFor();
    // The same would be refused again, so nothing offers it.
    assert.equal(await page.getByRole('button', { name: /^Try / }).count(), 0);
    const rows = page.getByRole('region', { name: 'Files that are added' }).getByRole('row');
    await assertFocus(page, 'className', 'batch');
    assert.deepEqual(Object.keys(await stored(record.id)), ['again/a.txt', 'again/b.txt']);

    // Of another length: it is told before anything is added, and one of them is left out.
    await input.setInputFiles(join(place, 'one/version.txt'));
    write({ 'two/version.txt': 'longer 1.0.2' });
    await input.setInputFiles(join(place, 'two/version.txt'));
    await page.getByRole('alert').getByText('Files that differ were chosen for one path').waitFor();
    await page.getByText(/^version\.txt, 12 bytes, changed /).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Add / }).count(), 0);
    await view.assertAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByRole('button', { name: /^Leave out version\.txt, 5 bytes/ }).click();
    await page.locator('.staged-title:focus').waitFor();
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('All 3 files are stored').waitFor();
    assert.equal((await stored(record.id))['version.txt'], sha256('longer 1.0.2'));
    assert.equal(await rows.filter({ hasText: 'version.txt' }).count(), 1);
    view.assertNothingWrong();
  });

  test('a folder that is chosen again while it is on its way is compared when it has arrived', async () => {
    write({ 'busy/a.txt': 'a', 'busy/b.txt': 'b' });
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    const letGo = await holdRequests(page, /\/files\/busy\/[ab]\.txt$/);
    await dropFiles(page, join(place, 'busy'));
    await page.getByRole('button', { name: 'Add 2 files' }).click();
    await page.getByText('0 of 2 files are stored').waitFor();
    await dropFiles(page, join(place, 'busy'));
    await page.getByText('All these paths are on the way already.').waitFor();
    await page.getByRole('button', { name: 'Add 2 files' }).click();
    letGo();
    await page.getByText('was there already, the same bytes').nth(1).waitFor();
    await page.getByText('All 2 files are stored').waitFor();
    assert.equal(await page.getByText('refused').count(), 0);
    await page.unrouteAll();
    view.assertNothingWrong();
  });

  test('what is dropped is taken with the first picture of the place for it', async () => {
    const record = await openPackage();
    const page = await view.tab();
    // As soon as the place is in the page, before anything is drawn: what is not taken, the browser opens instead.
    await page.addInitScript(`
      new MutationObserver((_, observer) => {
        if (document.querySelector('.drop') === null) return;
        observer.disconnect();
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['x'], 'x.txt'));
        globalThis.isTaken = !dispatchEvent(new DragEvent('dragover', { dataTransfer, cancelable: true }));
      }).observe(document, { childList: true, subtree: true });
    `);
    await page.goto(`${view.url}packages/${record.id}`);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.drop').waitFor();
    assert.equal(await page.evaluate('globalThis.isTaken'), true);
    await page.close();
    view.assertNothingWrong();
  });

  test('who seals is told what was refused, and then no list offers it again', async () => {
    write({ 'seal/taken.txt': 'other', 'seal/new.txt': 'new' });
    const record = await openPackage();
    await view.door.registry.files.add(record.id, {
      relative_path: 'seal/taken.txt',
      body: (async function* () {
        yield Buffer.from('first');
      })(),
    });
    const { page } = view;
    await view.open(`packages/${record.id}`);
    view.expectRefusals();
    await dropFiles(page, join(place, 'seal'));
    await page.getByRole('button', { name: 'Add 2 files' }).click();
    await page.getByText('Stored: 1 file. Refused: 1.').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Try / }).count(), 0);
    await page.getByRole('status').getByText('1 file was refused.', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Seal', exact: true }).click();
    await page.getByRole('dialog').getByText('1 file that was to be added here was refused.').waitFor();
    await view.assertAccessible();
    await page.getByRole('button', { name: 'Seal it' }).click();
    await page.getByText('Sealed. The command below fetches it').waitFor();
    await page.getByRole('heading', { name: /^Add/ }).waitFor({ state: 'detached' });
    await page.getByText('Refused: 1').waitFor({ state: 'detached' });
    view.assertNothingWrong();
  });
});
