import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertFocus } from './assert-focus.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

test('a package that is held is said to be, wherever packages are listed', { skip: noBrowser, timeout: 300_000 }, async () => {
  const classes = join(tmpdir(), `artifactstore-held-classes-${process.pid}.toml`);
  await writeFile(classes, '[retention_classes.blink]\ndefault_duration_seconds = 1\n');
  await using view = await openConsole({ anonymousRead: true, environment: { ARTIFACTSTORE_RETENTION_CONFIG_PATH: classes } });
  const { page, door } = view;
  const { registry } = door;
  const twice = await sealedPackage(registry, { 'a.txt': 'x' }, { name: 'held twice' });
  const first = await registry.retention.hold(twice.id, { reason: 'an audit' });
  await registry.retention.hold(twice.id, { reason: 'another one' });
  const passed = await sealedPackage(registry, { 'a.txt': 'y' }, { name: 'held and passed', retention_class: 'blink' });
  await registry.retention.hold(passed.id, { reason: 'an audit' });
  const { record: open } = await registry.packages.create({
    name: 'held open',
    producer: 'ci',
    subject: 's',
    retention_class: 'transient',
  });
  await registry.retention.hold(open.id, { reason: 'an audit' });
  await sealedPackage(registry, { 'a.txt': 'z' }, { name: 'not held' });
  await sleep(1_100);

  const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name}`) });
  for (const path of ['', 'packages', 'search?q=ci']) {
    await view.open(path);
    await row('held twice').last().getByText('held 2 times (nothing of it is deleted until 2 holds are released').waitFor();
    await row('held and passed').getByText('held (nothing of it is deleted until the hold is released').waitFor();
    await row('held and passed').getByText('has passed').waitFor();
    await row('held open').getByText('held (nothing').waitFor();
    assert.equal(await row('not held').last().locator('.held').count(), 0, path);
    await view.assertAccessible();
  }
  await registry.retention.release(twice.id, first.id, { reason: 'it is over' });
  await view.open('packages');
  await row('held twice').getByText('until the hold is released').waitFor();
  view.assertNothingWrong();
});

test('of many holds some are shown, and the keyboard continues with those that come', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  const record = await sealedPackage(door.registry, { 'a.txt': 'x' });
  for (let number = 0; number < 122; number++) await door.registry.retention.hold(record.id, { reason: `audit ${number}` });
  await page.goto(`${view.url}packages/${record.id}`);
  await view.signIn();
  await page.getByText('Held 122 times').waitFor();
  const holds = page.getByRole('list', { name: 'Holds in force' }).getByRole('listitem');
  assert.equal(await holds.count(), 20);
  const { y } = (await page.getByRole('heading', { name: 'Files', exact: true }).boundingBox())!;
  assert.ok(y < 3_000, `${y} px`);
  await page.getByRole('button', { name: /^Show 1\d\d? of 1\d\d earlier/ }).waitFor();
  await view.assertAccessible();
  await page.getByRole('button', { name: 'Show 100 more of 102' }).focus();
  await page.keyboard.press('Enter');
  await holds.nth(119).waitFor();
  await page.keyboard.press('Tab');
  await assertFocus(page, 'closest("li").textContent', /audit 20/);
  await page.getByRole('button', { name: 'Show the other 2' }).click();
  await holds.nth(121).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Show the other/ }).count(), 0);
  view.assertNothingWrong();
});
