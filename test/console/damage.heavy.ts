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
  before(async () => {
    view = await openConsole({ anonymousRead: true });
    const { registry, store } = view.door;
    unread = await sealedPackage(registry, { 'a/long.txt': 'l'.repeat(longBytes) }, { name: 'not verified' });
    await sealedPackage(
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
});
