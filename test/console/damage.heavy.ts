import assert from 'node:assert/strict';
import { globSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { localRoot } from '../registry/open-registry.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

/** Longer than what is read whole before it is sent: an answer begins, and breaks off. */
const longBytes = 2_000_000;

describe('bytes that are damaged or missing, in the console', { skip: noBrowser }, () => {
  let view: Console;
  let unread: Package;
  let record: Package;
  before(async () => {
    view = await openConsole({ anonymousRead: true });
    const { registry, store } = view.door;
    unread = await sealedPackage(registry, { 'a/long.txt': 'l'.repeat(longBytes) }, { name: 'not verified' });
    record = await sealedPackage(
      registry,
      { 'good.txt': 'good', 'logs/damaged.txt': 'd'.repeat(70_000), 'logs/missing.txt': 'm'.repeat(80_000) },
      { name: 'verified' },
    );
    const root = localRoot(store.config);
    for (const path of globSync('**/*', { cwd: root }).map((name) => join(root, name))) {
      const { size } = statSync(path);
      if (size === 70_000 || size === longBytes) writeFileSync(path, Buffer.alloc(size));
      if (size === 80_000) rmSync(path);
    }
  });
  after(() => view[Symbol.asyncDispose]());

  test('an archive that breaks off names the file, and tells nothing raw', async () => {
    const { page } = view;
    view.expectRefusals();
    await view.open(`packages/${unread.id}`);
    await page.getByRole('button', { name: 'Download as tar' }).click();
    await page.getByRole('alert').getByText('The stored bytes of “a/long.txt” are damaged or missing, so nothing was saved.').waitFor();
    assert.equal(await page.getByText(/TypeError|Failed to fetch|network error/).count(), 0);
    await view.assertAccessible();
  });

  for (const [path, known] of [
    ['logs/damaged.txt', false],
    ['logs/missing.txt', false],
    ['logs/missing.txt', true],
  ] as const)
    test(`${path}, ${known ? 'known before' : 'found by looking'}: said once, and never as what is not known`, async () => {
      const { page } = view;
      await view.open(`packages/${record.id}/files/${path}`);
      const banner = page.locator('.verdict-bad').filter({ hasText: 'Its bytes are damaged or missing' });
      await banner.waitFor();
      await page.getByText('There is nothing to show: its bytes are damaged or missing.').waitFor();
      await page.getByRole('region', { name: 'Where its bytes are' }).getByText('damaged or missing').waitFor();
      await page.getByRole('button', { name: 'Verify in this browser' }).click();
      await page.getByText('The registry has found them damaged or missing, and gives none of them out.').waitFor();
      await page.getByRole('status').getByText('Its bytes are damaged or missing').waitFor();
      await page.getByText('follows from the event before').waitFor();
      assert.equal(await page.getByText('nothing is known of it').count(), 0);
      assert.equal(await page.getByText('Not everything could be verified').count(), 0);
      await page.getByRole('button', { name: 'Download' }).click();
      await page.getByRole('alert').getByText('Its stored bytes are damaged or missing, so nothing was saved.').waitFor();
      await view.assertAccessible();
      if (process.env.SHOTS) await page.screenshot({ path: `/tmp/brief/condamage-file-${known}.png`, fullPage: true });
    });

  test('bytes that break off while they are verified or saved are looked up', async () => {
    const { page } = view;
    await view.open(`packages/${unread.id}/files/a/long.txt`);
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('The registry has found them damaged or missing').waitFor();
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').getByText('Its stored bytes are damaged or missing').waitFor();
  });
});
