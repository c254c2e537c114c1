import assert from 'node:assert/strict';
import { globSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { localRoot } from '../registry/open-registry.ts';
import { s3Settings } from '../s3-stand-in/settings.ts';
import { openStrictStore } from '../s3-stand-in/strict-store.ts';
import { evilName, narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

describe('storage and usage in a browser', { skip: noBrowser }, () => {
  let view: Console;
  before(async () => {
    const classes = join(tmpdir(), `artifactstore-classes-${process.pid}.toml`);
    await writeFile(classes, '[retention_classes.blink]\ndefault_duration_seconds = 1\n');
    const identity = await narrowIdentity({ role: 'reader', producers: [{ exact: 'ci' }] });
    view = await openConsole({ identity, environment: { ARTIFACTSTORE_RETENTION_CONFIG_PATH: classes } });
    const { registry, store } = view.door;
    await sealedPackage(registry, { 'long.txt': 'damaged'.repeat(10_000) }, { producer: 'ci', name: 'of ci' });
    await sealedPackage(registry, { 'a.txt': 'x' }, { producer: evilName, name: evilName, retention_class: 'blink' });
    for (const path of globSync('**/*', { cwd: localRoot(store.config) }).map((name) => join(localRoot(store.config), name)))
      if (statSync(path).size === 70_000) writeFileSync(path, Buffer.alloc(70_000));
    await sleep(1_100);
    await store.operator.sweep();
    await store.operator.verifyStorage('local');
  });
  after(() => view[Symbol.asyncDispose]());

  test('says what is damaged, what to do, and what the next collection takes', async () => {
    const { page } = view;
    await page.goto(`${view.url}storage`);
    await page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
    await page.getByText('local has bytes that are damaged or missing').waitFor();
    await page.getByText('artifactstore storage verify --backend local').waitFor();
    const backends = page.getByRole('region', { name: 'Storage backends' });
    await backends.getByText('Answers; not all of its bytes are right').waitFor();
    assert.equal(await backends.getByText('Works').count(), 0);
    const bad = page.getByRole('region', { name: 'Objects that are damaged' });
    await bad.getByText('Damaged', { exact: true }).waitFor();
    assert.doesNotMatch((await bad.locator('tbody').textContent())!, /[0-9a-f]{64}/);
    // It is of buckets, and here is none.
    await page.getByText('Every backend here is a directory: there is none to be made.').waitFor();
    assert.equal(await page.getByText('artifactstore storage certify').count(), 0);
    const due = page.getByRole('region', { name: 'Packages that are marked for the next collection' });
    await due.getByRole('link', { name: evilName }).waitFor();
    await view.assertAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
    await view.assertAccessible();
    await page.getByRole('region', { name: 'Objects that are damaged' }).getByRole('link', { name: 'Which files' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'of ci' }).waitFor();
    view.assertNothingWrong();
  });

  test('draws who keeps how much, with a table beside it', async () => {
    const { page } = view;
    await page.setViewportSize({ width: 1280, height: 800 });
    await view.open('usage?by=files');
    await page.getByRole('link', { name: evilName }).first().waitFor();
    assert.equal(
      await page.getByRole('navigation', { name: 'Compare' }).getByRole('link', { name: 'Files' }).getAttribute('aria-current'),
      'true',
    );
    await page.getByRole('region', { name: 'Producers and classes' }).getByText('blink').waitFor();
    await view.assertAccessible();
    await page.getByRole('link', { name: 'Bytes' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).search, '');
    await page.context().setOffline(true);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Storage' }).click();
    await page.getByText('The server cannot be reached. This page').waitFor();
    await page.context().setOffline(false);
    await page.getByRole('region', { name: 'Storage backends' }).waitFor();
    await page.getByText('The server cannot be reached. This page').waitFor({ state: 'detached' });
  });

  test('whoever may not observe sees their own, and is told so', async () => {
    const { page } = view;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.goto(`${view.url}usage`);
    await view.signIn(narrowToken);
    await page.getByRole('region', { name: 'Producers, and how much' }).getByRole('link', { name: 'ci' }).waitFor();
    assert.equal(await page.getByRole('link', { name: evilName }).count(), 0);
    await view.assertAccessible();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Storage' }).click();
    await page.getByText('are shown to those with the right to observe').waitFor();
    await page.getByRole('region', { name: 'Storage backends' }).waitFor();
    await view.assertAccessible();
  });
});

test('a new registry in a directory is offered no certificate', { skip: noBrowser }, async () => {
  await using view = await openConsole({ anonymousRead: true });
  await view.open('storage');
  await view.page.getByText('Every backend here is a directory: there is none to be made.').waitFor();
  assert.equal(await view.page.getByText('storage certify').count(), 0);
});

test('a store is certified where a bucket is, by its name beside others', { skip: noBrowser }, async () => {
  await using bucket = await openStrictStore();
  await using view = await openConsole({
    anonymousRead: true,
    environment: { ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3', ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: '', ...s3Settings(bucket) },
  });
  await view.open('storage');
  await view.page.getByText('artifactstore storage certify --backend s3', { exact: true }).waitFor();
  assert.equal(await view.page.getByText('storage certify').count(), 1);
  assert.equal(await view.page.getByText('there is none to be made').count(), 0);
  await view.assertAccessible();
  view.assertNothingWrong();
});
