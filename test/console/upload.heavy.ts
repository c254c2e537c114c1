import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Route } from 'playwright-core';
import { openIdentity } from '../../src/identity/open.ts';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { actor, token } from '../doors/rest/open-door.ts';
import { dropFiles } from './drop-files.ts';
import { holdRequests } from './hold-requests.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';

const evil = '<img src=x onerror="document.title=1"> & %2e%2e #1?.txt';

describe('files that are dropped into the console', { skip: noBrowser }, () => {
  let view: Console;
  let place: string;
  before(async () => {
    place = mkdtempSync(join(tmpdir(), 'artifactstore-dropped-'));
    const identity = await openIdentity({ tokens: [{ token, actor }] });
    view = await openConsole({
      identity: {
        ...identity,
        quotaOf: (producer) => (producer === 'small' ? { maximum_bytes: 3_000_000, maximum_packages: null } : identity.quotaOf(producer)),
      },
    });
    await view.page.goto(`${view.url}packages`);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(async () => {
    await view[Symbol.asyncDispose]();
    rmSync(place, { recursive: true, force: true });
  });

  const write = (files: Readonly<Record<string, string | Uint8Array>>): void => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(place, path)), { recursive: true });
      writeFileSync(join(place, path), content);
    }
  };
  const openPackage = async (producer = 'ci'): Promise<Package> =>
    (await view.door.registry.packages.create({ name: 'dropped', producer, subject: 's', retention_class: 'transient' })).record;
  const stored = async (id: string): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries((await view.door.registry.files.list(id)).items.map((file) => [file.relative_path, file.digest_sha256]));
  const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

  test('a whole folder is stored as it is, whatever its names are', async () => {
    const files = {
      'whole/a.txt': 'a',
      'whole/empty': '',
      [`whole/deep/er/${evil}`]: 'evil',
      'whole/deep/ö 😀.json': '{}',
      'whole/large.bin': randomBytes(9_000_001),
    };
    write(files);
    mkdirSync(join(place, 'whole/nothing'));
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await dropFiles(page, join(place, 'whole'));
    await page.getByText('5 files, 8.6 MiB, are ready to be added.').waitFor();
    await page.getByText('An empty folder is left out').waitFor();
    await view.assertAccessible();
    await page.getByLabel('Leave out the folder “whole” itself').check();
    await page.getByLabel('Below this folder').fill('run 7');
    await page.getByRole('button', { name: 'Add 5 files' }).click();
    await page.getByText('All 5 files are stored, and their digests are those of this computer.').waitFor();
    await view.assertAccessible();
    assert.match(await page.title(), /artifactstore$/);
    assert.equal(await page.locator('main img').count(), 0);
    const expected = Object.entries(files).map(([path, content]) => [path.replace('whole/', 'run 7/'), sha256(content)] as const);
    assert.deepEqual(await stored(record.id), Object.fromEntries(expected.sort()));
    await page.getByRole('button', { name: 'Seal', exact: true }).waitFor();
    await page.getByRole('treeitem', { name: /large\.bin/ }).waitFor();

    // The same again, also from a choice: nothing is changed, and nothing that is there is sent.
    const sent: string[] = [];
    page.on('request', (request) => void (request.method() === 'PATCH' && sent.push(request.url())));
    await page.locator('input[type=file]').first().setInputFiles(join(place, 'whole/large.bin'));
    assert.equal(await page.getByText('stored here already').count(), 0);
    await page.getByLabel('Below this folder').fill('/run 7/');
    await page.getByText('This path is stored here already. The same bytes change nothing; other bytes are refused.').waitFor();
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('was there already, the same bytes').waitFor();
    assert.deepEqual(sent, []);
    view.assertNothingWrong();
  });

  test('what is refused is told beside its file, and the others are stored', async () => {
    write({
      'mixed/good.txt': 'good',
      'mixed/back\\slash': 'x',
      'mixed/taken.txt': 'other bytes',
      'mixed/taken.bin': new Uint8Array(2_000_000),
      'mixed/bell\u0007': 'x',
    });
    const record = await openPackage();
    for (const path of ['mixed/taken.txt', 'mixed/taken.bin'])
      await view.door.registry.files.add(record.id, {
        relative_path: path,
        body: (async function* () {
          yield Buffer.from('first bytes');
        })(),
      });
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await dropFiles(page, join(place, 'mixed'));
    view.expectRefusals();
    await page.getByRole('button', { name: 'Add 5 files' }).click();
    await page.getByText('Stored: 1 file. Refused: 4.').waitFor();
    const row = (path: string) => page.getByRole('region', { name: 'Files that are added' }).getByRole('row').filter({ hasText: path });
    await row('back\\slash').getByText('invalid_path').waitFor();
    await row('bell').getByText('control character U+0007').waitFor();
    await row('taken.txt').getByText('path_conflict').waitFor();
    await row('taken.bin').getByText('path_conflict').waitFor();
    await row('good.txt').getByText('stored').waitFor();
    await view.assertAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
    await view.assertAccessible();
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.deepEqual(Object.keys(await stored(record.id)), ['mixed/good.txt', 'mixed/taken.bin', 'mixed/taken.txt']);
    assert.equal((await stored(record.id))['mixed/taken.txt'], sha256('first bytes'));
    await page.getByRole('button', { name: 'Close the list' }).click();

    // A folder that a browser would follow out of the package is refused before anything is asked.
    await page.locator('input[type=file]').first().setInputFiles(join(place, 'mixed/good.txt'));
    await page.getByLabel('Below this folder').fill('../../x');
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('The path has the segment “..”.').waitFor();
    view.assertNothingWrong();
  });

  test('a package that another has sealed is shown so with the first refusal, while the others are still on their way', async () => {
    write(Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`late/${name}.txt`, name])));
    const record = await openPackage();
    await view.door.registry.files.add(record.id, {
      relative_path: 'first.txt',
      body: (async function* () {
        yield Buffer.from('first');
      })(),
    });
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await page.getByRole('button', { name: 'Seal', exact: true }).waitFor();
    await view.door.registry.packages.finalize(record.id);
    view.expectRefusals();
    const letGo = await holdRequests(page, /\/files\/late\/[bc]\.txt$/);
    await dropFiles(page, join(place, 'late'));
    await page.getByRole('button', { name: 'Add 5 files' }).click();
    await page.getByText('package_not_open').first().waitFor();
    await page.locator('.page-beside').getByText('Sealed').waitFor();
    await page.getByText('0 of 5 files are stored').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Seal', exact: true }).count(), 0);
    assert.equal(await page.getByText('Drop files and folders here.').count(), 0);
    letGo();
    await page.getByText('Stored: 0 files. Refused: 5.').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Try / }).count(), 0);
    await page.unrouteAll();
    view.assertNothingWrong();
  });

  test('a quota that is used up is told, before the bytes are sent where they are many', async () => {
    write({ 'quota/1.bin': randomBytes(2_500_000), 'quota/2.bin': randomBytes(2_600_000) });
    const record = await openPackage('small');
    const { page } = view;
    await view.open(`packages/${record.id}`);
    view.expectRefusals();
    await dropFiles(page, join(place, 'quota/1.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('The file is stored, and its digest').waitFor();
    const sent: string[] = [];
    page.on('request', (request) => void (request.method() === 'PATCH' && sent.push(request.url())));
    await dropFiles(page, join(place, 'quota/2.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('quota_exceeded').waitFor();
    assert.deepEqual(sent, []);
    view.assertNothingWrong();
  });

  test('a server that says it has stored other bytes is not believed', async () => {
    write({ 'lie/1.txt': 'true' });
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await page.route(/\/files\/1\.txt$/, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), digest_sha256: 'f'.repeat(64) } });
    });
    await dropFiles(page, join(place, 'lie/1.txt'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('The server says that it has stored other bytes').waitFor();
    await page.unroute(/\/files\/1\.txt$/);
    view.assertNothingWrong();
  });

  test('a file that changes between being read and being sent makes no file', async () => {
    write({ 'changing/1.bin': randomBytes(5_000_000) });
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    view.expectRefusals();
    await page.route(/\/files\/1\.bin$/, async (route) => {
      write({ 'changing/1.bin': randomBytes(5_000_000) });
      await route.continue();
    });
    await dropFiles(page, join(place, 'changing/1.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page
      .getByText(/has changed/)
      .first()
      .waitFor();
    assert.deepEqual(await stored(record.id), {});
    await page.unroute(/\/files\/1\.bin$/);
    view.assertNothingWrong();
  });

  test('bytes that are altered on the way make no file, in one request or in pieces', async () => {
    write({ 'altered/small.txt': 'small', 'altered/large.bin': randomBytes(5_000_000) });
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    view.expectRefusals();
    const alter = async (route: Route): Promise<void> => {
      const body = route.request().postDataBuffer();
      if (body === null || body.length === 0) return await route.continue();
      const altered = Buffer.from(body);
      altered[0]! ^= 1;
      await route.continue({ postData: altered });
    };
    await page.route(/\/uploads\/[^/]+$|small\.txt$/, alter);
    await dropFiles(page, join(place, 'altered'));
    await page.getByRole('button', { name: 'Add 2 files' }).click();
    await page.getByText('Stored: 0 files. Refused: 2.').waitFor();
    assert.equal(await page.getByText('Other bytes have arrived than were read here').count(), 2);
    assert.deepEqual(await stored(record.id), {});
    await page.unroute(/\/uploads\/[^/]+$|small\.txt$/, alter);
    await page.getByRole('button', { name: 'Try the refused again' }).click();
    await page.getByText('All 2 files are stored').waitFor();
    view.assertNothingWrong();
  });

  test('hundreds of small files are stored, and the list stays short', async () => {
    write(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`many/${index % 10}/${index}.txt`, `file ${index}`])));
    const record = await openPackage();
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await dropFiles(page, join(place, 'many'));
    await page.getByRole('button', { name: 'Add 300 files' }).click();
    await page.getByText('All 300 files are stored').waitFor({ timeout: 100_000 });
    assert.ok((await page.getByRole('region', { name: 'Files that are added' }).getByRole('row').count()) <= 101);
    assert.equal((await view.door.registry.packages.get(record.id))!.file_count, 300);
    view.assertNothingWrong();
  });
});
