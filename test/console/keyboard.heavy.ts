import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { token } from '../doors/rest/open-door.ts';
import { assertFocus } from './assert-focus.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

test('somebody without a mouse signs in, finds a package, reads a file and verifies it', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  for (let index = 0; index < 3; index++) await sealedPackage(door.registry, { 'other.txt': `${index}` }, { name: `other ${index}` });
  await sealedPackage(door.registry, { 'logs/build.log': 'it was built', 'report.json': '{}' }, { producer: 'builder' });

  await page.goto(view.url);
  await page.getByLabel('Token').waitFor();
  await tabTo(page, 'Token');
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await tabTo(page, 'Packages');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'other 2' }).waitFor();
  await assertFocus(page, 'textContent', 'Packages');

  await tabTo(page, 'Producer');
  await page.keyboard.type('builder');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'other 2' }).waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'nightly run' }).waitFor();
  await tabTo(page, 'nightly run');
  await page.keyboard.press('Enter');
  await page.getByRole('treeitem', { name: /build\.log/ }).waitFor();
  await tabTo(page, 'Skip to the files');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'Files of this package, by path');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText('it was built').waitFor();

  await tabTo(page, 'Verify in this browser');
  await page.keyboard.press('Enter');
  await page.getByText('It is what was sealed').waitFor();
  await tabTo(page, 'Do the same in a terminal');
  await page.keyboard.press('Enter');
  await page
    .getByText(/artifactstore .*verify/)
    .first()
    .waitFor();
  await page.goBack();
  await page.getByRole('treeitem', { name: /build\.log/ }).waitFor();
  const at = page.url();
  // Whoever presses a key is not brought to where the page was left any more.
  await page.keyboard.press('Shift');
  await page.getByRole('link', { name: 'Skip to the content' }).focus();
  await page.keyboard.press('Enter');
  await assertFocus(page, 'id', 'content');
  assert.equal(page.url(), at);
  view.assertNothingWrong();
});

test('more events of a package are read by the keyboard, which continues with the first of them', { skip: noBrowser }, async () => {
  await using view = await openConsole({ anonymousRead: true });
  const { page, door } = view;
  const { id } = await sealedPackage(door.registry, { 'a.txt': 'x' });
  for (let index = 0; index < 30; index++) {
    const hold = await door.registry.retention.hold(id, { reason: 'again' });
    await door.registry.retention.release(id, hold.id, {});
  }
  await view.open(`packages/${id}`);
  const region = page.getByRole('region', { name: 'Events of this package' });
  const before = await region.getByRole('link').last().textContent();
  await region.getByRole('button', { name: 'Show more' }).focus();
  await page.keyboard.press('Enter');
  await region.locator('a:focus').waitFor();
  await assertFocus(page, 'textContent', String(Number(before) + 1));
  view.assertNothingWrong();
});

/** Presses Tab until the element with this name has the focus: it must be on the way, and be seen to have it. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  for (let step = 0; step < 60; step++) {
    if (step > 0 || (await focused(page)) !== name) await page.keyboard.press('Tab');
    const at = await focused(page);
    if (at === name) {
      assert.ok(await isMarked(page), `${name} has the focus, and nothing shows it`);
      return;
    }
    passed.push(at);
  }
  assert.fail(`${name} is not on the way: ${passed.join(', ')}`);
}

async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>(`(() => {
    const { activeElement: at } = document;
    if (at === document.body) return 'the page';
    return (at.ariaLabel ?? at.labels?.[0]?.querySelector('span')?.textContent ?? at.labels?.[0]?.textContent ?? at.textContent).trim();
  })()`);
}

/** By an outline, a shadow, or a line within it. */
async function isMarked(page: Page): Promise<boolean> {
  return await page.evaluate<boolean>(`(() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  })()`);
}
