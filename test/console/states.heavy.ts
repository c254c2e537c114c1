import assert from 'node:assert/strict';
import { globSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { localRoot } from '../registry/open-registry.ts';
import { narrowIdentity } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

const notOfTheConsole = (url: URL): boolean => !url.pathname.startsWith('/console') && url.pathname !== '/whoami';
const unavailable = {
  type: 'about:blank',
  code: 'database_unavailable',
  title: 'The database is unavailable',
  status: 503,
  detail: 'It did not answer.',
};

describe('what pages of the console say when not all is well', { skip: noBrowser }, () => {
  let view: Console;
  let whole: Package;
  before(async () => {
    const classes = join(tmpdir(), `artifactstore-classes-${process.pid}.toml`);
    await writeFile(classes, '[retention_classes.blink]\ndefault_duration_seconds = 1\n');
    const identity = await narrowIdentity({ role: 'reader', producers: [{ exact: 'ci' }] });
    view = await openConsole({
      identity: { ...identity, quotaOf: () => ({ maximum_bytes: 1_000_000, maximum_packages: 4 }) },
      environment: { ARTIFACTSTORE_RETENTION_CONFIG_PATH: classes },
    });
    const { registry, store } = view.door;
    await sealedPackage(registry, { 'long.txt': 'damaged'.repeat(10_000) }, { name: 'damaged' });
    whole = await sealedPackage(registry, { 'a.txt': 'x' }, { name: 'expired', retention_class: 'blink' });
    for (const path of globSync('**/*', { cwd: localRoot(store.config) }).map((name) => join(localRoot(store.config), name)))
      if (statSync(path).size === 70_000) writeFileSync(path, Buffer.alloc(70_000));
    await sleep(1_100);
    await store.operator.verifyStorage('local');
    await view.page.goto(view.url);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(() => view[Symbol.asyncDispose]());

  test('the overview says what is wrong in words, and leads to what to do', async () => {
    const { page } = view;
    await view.open();
    await page.getByText('local: the bytes of 1 file are damaged or missing').waitFor();
    const leaving = page.getByRole('region', { name: 'Leaving within a week' }).last();
    await leaving.getByRole('link', { name: 'expired' }).waitFor();
    assert.equal(await leaving.getByRole('link').count(), 1, 'the other one is kept for months');
    await view.assertAccessible();
    await page.getByRole('link', { name: 'What to do' }).click();
    await page.getByText('local has bytes that are damaged or missing').waitFor();
    view.assertNothingWrong();
  });

  test('a time that has passed is said to have passed, and sizes have their units in one line', async () => {
    const { page } = view;
    await view.open('packages');
    const row = (name: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name }) });
    await row('expired').getByText('has passed').waitFor();
    assert.equal(await row('damaged').getByText('has passed').count(), 0);
    const units = await page.evaluate<number[]>(
      "[...document.querySelectorAll('td .unit')].map((unit) => unit.getBoundingClientRect().left)",
    );
    assert.equal(units.length, 2);
    assert.ok(Math.abs(units[0]! - units[1]!) < 1, units.join(' '));
    await page.getByLabel('Created from (UTC)').waitFor();
    assert.equal(await page.locator('.overflow-after').count(), 0);
    view.assertNothingWrong();
  });

  test('the log does not call damaged bytes verified, and pausing it is no hold', async () => {
    const { page } = view;
    await view.open('events');
    await page.getByText(`read up to no. ${await view.door.lastSequence()}`).waitFor();
    await page.getByText('Stored bytes found damaged or missing').waitFor();
    assert.equal(await page.getByText('Stored bytes verified').count(), 2);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused: nothing new is shown').first().waitFor();
    await view.assertAccessible();
    view.assertNothingWrong();
  });

  test('a quota says what is used of it', async () => {
    const { page } = view;
    await view.open('usage');
    await page.getByText('50 % of its packages used').waitFor();
    await page.getByRole('columnheader', { name: 'Size at most' }).waitFor();
    view.assertNothingWrong();
  });

  test('a key of an object is one line, and on a telephone as wide as the page, and whole', async () => {
    const { page } = view;
    await page.setViewportSize({ width: 360, height: 740 });
    await view.open(`packages/${whole.id}/files/a.txt`);
    const row = page.getByRole('region', { name: 'Where its bytes are' }).getByRole('row').last();
    const key = (await row.locator('code').boundingBox())!;
    assert.ok(key.x + key.width <= 360 && key.width > 250 && key.height < 60, JSON.stringify(key));
    await page.setViewportSize({ width: 1280, height: 800 });
    assert.ok((await row.boundingBox())!.height < 60);
    view.assertNothingWrong();
  });

  test('an address of nothing leads back', async () => {
    const { page } = view;
    await view.open('nothing/here');
    await page.getByRole('link', { name: 'To the overview' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    view.assertNothingWrong();
  });

  test('a refusal is told once, and nothing beside it seems to be on its way', async () => {
    const { page } = view;
    view.expectRefusals();
    await page.route(notOfTheConsole, (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(unavailable) }),
    );
    await view.open('storage');
    await page.getByText('The database is unavailable').waitFor();
    assert.equal(await page.locator('.loading').count(), 0);
    assert.equal(await page.getByRole('alert').count(), 1);
    await view.assertAccessible();
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('region', { name: 'Storage backends' }).waitFor();
    view.assertNothingWrong();
  });

  test('while the server is away it is said once, and each part returns by itself', async () => {
    const { page } = view;
    view.expectCuts();
    await page.route(notOfTheConsole, (route) => route.abort('connectionrefused'));
    await view.open();
    await page.getByText('This part is not there').first().waitFor();
    await page.getByRole('alert').getByText('The server cannot be reached').waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
    assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0);
    await view.assertAccessible();
    await page.unrouteAll();
    await page.getByText('Something needs attention').waitFor({ timeout: 40_000 });
    await page.getByText('This part is not there').first().waitFor({ state: 'detached' });
    view.assertNothingWrong();
  });
});
