import assert from 'node:assert/strict';
import { globSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
  let collected: Package;
  before(async () => {
    const classes = join(tmpdir(), `artifactstore-classes-${process.pid}.toml`);
    await writeFile(classes, '[retention_classes.blink]\ndefault_duration_seconds = 1\n');
    view = await openConsole({ anonymousRead: true, environment: { ARTIFACTSTORE_RETENTION_CONFIG_PATH: classes } });
    const { registry, store } = view.door;
    collected = await sealedPackage(registry, { 'gone.txt': 'gone' }, { name: 'collected', retention_class: 'blink' });
    await sleep(1_100);
    await store.operator.sweep();
    await store.operator.collect();
    unread = await sealedPackage(
      registry,
      { 'a/long.txt': 'l'.repeat(longBytes), 'z/end.txt': 'e'.repeat(longBytes + 1) },
      { name: 'not verified' },
    );
    record = await sealedPackage(
      registry,
      { 'good.txt': 'good', 'logs/damaged.txt': 'd'.repeat(70_000), 'logs/missing.txt': 'm'.repeat(80_000) },
      { name: 'verified' },
    );
    const root = localRoot(store.config);
    for (const path of globSync('**/*', { cwd: root }).map((name) => join(root, name))) {
      const { size } = statSync(path);
      if (size === 70_000 || size === longBytes) writeFileSync(path, Buffer.alloc(size));
      // What is shown of it is good: only its end is not.
      if (size === longBytes + 1) writeFileSync(path, `${'e'.repeat(longBytes)}E`);
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
    await page.locator('.verdict-bad').getByText('1 of its files is damaged or missing').waitFor();
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
      await banner.getByText(path === 'logs/missing.txt' ? 'local: missing, found' : 'local: damaged, ').waitFor();
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
    });

  test('the package says which of its files they are, above and in the list', async () => {
    const { page } = view;
    await view.open(`packages/${record.id}`);
    const banner = page.locator('.verdict-bad');
    await banner.getByText('2 of its files are damaged or missing').waitFor();
    assert.deepEqual(await banner.getByRole('listitem').allInnerTexts(), ['logs/damaged.txt', 'logs/missing.txt']);
    await page.getByRole('treeitem', { name: /logs\/.*2 damaged or missing/ }).waitFor();
    await page.getByRole('treeitem', { name: /missing\.txt.*damaged or missing/ }).waitFor();
    assert.equal(
      await page
        .getByRole('treeitem', { name: /good\.txt/ })
        .getByText('damaged')
        .count(),
      0,
    );
    await view.assertAccessible();

    await page.setViewportSize({ width: 360, height: 740 });
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
    assert.ok((await page.getByRole('link', { name: 'missing.txt', exact: true }).last().boundingBox())!.width > 60, 'its name has room');
    await view.assertAccessible();

    await page.setViewportSize({ width: 1280, height: 800 });
    await banner.getByRole('link', { name: 'logs/missing.txt' }).click();
    await page.getByText('Its bytes are damaged or missing', { exact: true }).first().waitFor();
  });

  test('bytes that break off while they are verified or saved are looked up', async () => {
    const { page } = view;
    await view.open(`packages/${unread.id}/files/z/end.txt`);
    await page.getByText(/The first 512.KiB of/).waitFor();
    assert.equal(await page.locator('.verdict-bad').count(), 0);
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('The registry has found them damaged or missing').waitFor();
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').getByText('Its stored bytes are damaged or missing').waitFor();
  });

  test('a collected package lists what it held, and offers nothing that is gone', async () => {
    const { page } = view;
    await view.open(`packages/${collected.id}`);
    await page.getByText('Its bytes were deleted. What it held is listed as it was.').waitFor();
    await page.getByRole('link', { name: 'gone.txt' }).click();
    await page.getByText('Its package was collected, and its bytes with it.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Download' }).count(), 0);
    assert.equal(await page.locator('.verdict-bad').count(), 0);
    await view.assertAccessible();
  });
});
