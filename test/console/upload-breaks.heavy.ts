import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Page, Request } from 'playwright-core';
import { dropFiles } from './drop-files.ts';
import { type NarrowIdentity, narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { type ServerBehindProxy, serverBehindProxy, workplaceToken } from './server-behind-proxy.ts';

/** Longer than three pieces, and other bytes each time: those that the registry has are not sent. */
const newLarge = (): Buffer => randomBytes(20_000_000);

function withDirectory(): { path(name: string): string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-dropped-'));
  return { path: (name) => join(directory, name), remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Lets so many pieces through, and says when the next is held. Held ones never arrive. */
async function holdPieces(page: Page, after: number): Promise<{ readonly held: Promise<void>; readonly from: readonly number[] }> {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const from: number[] = [];
  await page.route(/\/uploads\/[^/]+$/, async (route) => {
    if (route.request().method() !== 'PATCH') return await route.continue();
    from.push(offsetOf(route.request()));
    if (from.length <= after) return await route.continue();
    resolve();
  });
  return { held, from };
}

function offsetOf(request: Request): number {
  return Number(request.headers()['upload-offset']);
}

/** Where pieces begin from now on. */
function watchPieces(page: Page): readonly number[] {
  const from: number[] = [];
  page.on('request', (request) => void (request.method() === 'PATCH' && from.push(offsetOf(request))));
  return from;
}

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

  test('by a token that ends: it asks for another, and continues', async () => {
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
    await view.signIn();
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

test('an upload of the console continues when a server that was killed is back', { skip: noBrowser }, async () => {
  const directory = withDirectory();
  let server: ServerBehindProxy | undefined;
  try {
    await using view = await openConsole({
      async before(url) {
        server = await serverBehindProxy(url);
        return server.url;
      },
    });
    const { place, kill, start } = server!;
    const { page } = view;
    const large = newLarge();
    writeFileSync(directory.path('large.bin'), large);
    await page.goto(`${view.url}packages/new`);
    await view.signIn(workplaceToken);
    await page.getByLabel('Name', { exact: true }).fill('killed');
    await page.getByLabel('Producer').fill('ci');
    await page.getByRole('button', { name: 'Create it' }).click();
    await page.getByText('Drop files and folders here').waitFor();
    const from = watchPieces(page);
    let killed: Promise<void> | undefined;
    page.on('request', (request) => {
      // While the second piece is on its way.
      if (request.method() === 'PATCH' && offsetOf(request) > 0) killed ??= kill();
    });
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('What it has acknowledged stays').waitFor({ timeout: 30_000 });
    await killed;
    await view.assertAccessible();
    const sent = from.length;
    await start();
    await page.getByText('The file is stored, and its digest').waitFor({ timeout: 60_000 });
    assert.ok(from[sent]! > 0, from.join(' '));
    await page.getByRole('button', { name: 'Seal', exact: true }).click();
    await page.getByRole('button', { name: 'Seal it' }).click();
    await page.getByText('Sealed. The command below fetches it').waitFor();
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    const { code, stderr } = await place.run('pull', id, 'pulled');
    assert.equal(code, 0, stderr);
    assert.equal(Buffer.compare(readFileSync(place.path('pulled', 'large.bin')), large), 0);
  } finally {
    server?.[Symbol.dispose]();
    directory.remove();
  }
});
