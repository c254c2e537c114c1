import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFocus } from './assert-focus.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

test('a time is told exactly on a tap, in sight and not cut', { skip: noBrowser, timeout: 300_000 }, async () => {
  await using view = await openConsole({
    anonymousRead: true,
    browser: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  });
  const { page, door } = view;
  const record = await sealedPackage(door.registry, { 'a.txt': 'x' });
  await sealedPackage(door.registry, { 'a.txt': 'y' });
  const exact = page.locator('.exact-form');
  for (const path of ['', 'packages', `packages/${record.id}`, `packages/${record.id}/files/a.txt`, 'events']) {
    await view.open(path);
    await page.locator('main time').first().waitFor();
    // Which is the last is known when nothing comes any more.
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    if (path === 'events') await page.getByText(`read up to no. ${await door.lastSequence()}`).waitFor();
    const times = page.locator('main .exact:has(time)');
    for (const time of [times.first(), times.last()]) {
      await time.scrollIntoViewIfNeeded();
      const at = (await time.locator('time').getAttribute('datetime'))!;
      await time.tap();
      await exact.getByText(at).waitFor();
      assert.match((await exact.textContent())!, /\d{4} at \d{1,2}:\d{2}:\d{2}/);
      const box = (await exact.boundingBox())!;
      assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y >= 0 && box.y + box.height <= 740, `${path}: ${JSON.stringify(box)}`);
      await page.locator('[role=status]').getByText(at).waitFor({ state: 'attached' });
      await view.assertAccessible();
      await time.tap();
      await exact.waitFor({ state: 'detached' });
      await time.tap();
      await exact.getByText(at).waitFor();
      await page.locator('h1').tap();
      await exact.waitFor({ state: 'detached' });
    }
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, path);
  }
  view.assertNothingWrong();
});

test('the keyboard has it where it stands, and passes by the times of a list', { skip: noBrowser, timeout: 300_000 }, async () => {
  await using view = await openConsole({ anonymousRead: true });
  const { page, door } = view;
  for (let index = 0; index < 3; index++) await sealedPackage(door.registry, { 'a.txt': `${index}` }, { name: `run ${index}` });
  const exact = page.locator('.exact-form');
  await view.open('packages');
  await page.getByRole('link', { name: 'run 2' }).focus();
  await page.keyboard.press('Tab');
  await assertFocus(page, 'textContent', 'run 1');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'run 1' }).waitFor();
  const created = page.locator('.fact', { hasText: 'Created' }).locator('.exact');
  await page.locator('.fact', { hasText: 'Retention class' }).getByRole('link').focus();
  await page.keyboard.press('Tab');
  await exact.getByText((await created.locator('time').getAttribute('datetime'))!).waitFor();
  await view.assertAccessible();
  await page.keyboard.press('Escape');
  await exact.waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  await exact.waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Packages' }).waitFor();
  await exact.waitFor({ state: 'detached' });
  view.assertNothingWrong();
});

test('a size is told exactly on a tap and by the keyboard, and a tap on it is for it alone', {
  skip: noBrowser,
  timeout: 120_000,
}, async () => {
  await using view = await openConsole({
    anonymousRead: true,
    browser: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  });
  const { page, door } = view;
  const record = await sealedPackage(door.registry, { 'logs/a.txt': 'x'.repeat(2_000), 'logs/b.txt': 'y'.repeat(5_000), 'z.txt': 'z' });
  const exact = page.locator('.exact-form');
  const sizes = page.locator('main .exact:not(:has(time))');
  for (const path of ['', 'packages', `packages/${record.id}`, `packages/${record.id}/files/logs/a.txt`, 'usage']) {
    await view.open(path);
    const bytes = path.includes('/files/') ? '2,000 bytes' : '7,001 bytes';
    await sizes.first().waitFor();
    // Which is the first is known when nothing comes any more.
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    await sizes.first().scrollIntoViewIfNeeded();
    await sizes.first().tap();
    await exact.getByText(bytes).waitFor();
    const box = (await exact.boundingBox())!;
    assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y >= 0 && box.y + box.height <= 740, `${path}: ${JSON.stringify(box)}`);
    await page.locator('[role=status]').getByText(bytes).waitFor({ state: 'attached' });
    await view.assertAccessible();
    await sizes.first().tap();
    await exact.waitFor({ state: 'detached' });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, path);
  }

  await view.open(`packages/${record.id}`);
  const folder = page.getByRole('treeitem', { name: /logs/ });
  await folder.waitFor();
  const wasOpen = await folder.getAttribute('aria-expanded');
  await folder.locator('.exact').tap();
  await exact.getByText('7,000 bytes').waitFor();
  assert.equal(await folder.getAttribute('aria-expanded'), wasOpen, 'the folder stays as it is');
  assert.equal(
    await page
      .getByRole('treeitem', { name: /z\.txt/ })
      .locator('.exact')
      .count(),
    0,
    '1 byte is exact as it stands',
  );
  await view.assertAccessible();
  // It is gone with what it is of.
  if (wasOpen !== 'true') await folder.locator('.path').tap();
  await page
    .getByRole('treeitem', { name: /a\.txt/ })
    .locator('.exact')
    .tap();
  await exact.getByText('2,000 bytes').waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('treeitem', { name: /a\.txt/ }).waitFor({ state: 'detached' });
  await exact.waitFor({ state: 'detached' });

  await page.locator('.fact', { hasText: 'Sealed' }).locator('.exact').focus();
  await page.keyboard.press('Tab');
  await exact.getByText('7,001 bytes').waitFor();
  await page.keyboard.press('Escape');
  await exact.waitFor({ state: 'detached' });
  view.assertNothingWrong();
});
