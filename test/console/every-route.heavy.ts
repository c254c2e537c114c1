import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

/** What a person may have set, and each page has to bear. */
const settings: Readonly<Record<string, BrowserContextOptions>> = {
  'on a telephone, dark, with little that moves': {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
    reducedMotion: 'reduce',
    hasTouch: true,
  },
  'light, at 200 % of a window of 1280 by 800': { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2, colorScheme: 'light' },
  'dark, in a window of 1280 by 800': { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
};

const longWord = 'w'.repeat(120);

describe('every route of the console', { skip: noBrowser }, () => {
  for (const [name, browser] of Object.entries(settings))
    test(`${name}: is clean, and scrolls down only`, async () => {
      await using view = await openConsole({ browser });
      const record = await sealedPackage(
        view.door.registry,
        { [`deep/${longWord}/a.txt`]: longWord, 'report.json': '{"ok":true}' },
        { name: `nightly ${longWord}`, subject: longWord, producer: longWord.slice(0, 60), metadata: { branch: longWord } },
      );
      await view.door.registry.retention.hold(record.id, { reason: `an audit ${longWord}` });
      await view.page.goto(view.url);
      await view.page.getByLabel('Keep it until this tab is closed').check();
      await view.signIn();
      const faults: string[] = [];
      for (const place of Object.values(addresses(record)).flat())
        await assertBears(view, place, browser).catch((error: unknown) => faults.push(`${place}: ${(error as Error).message}`));
      assert.deepEqual(faults, []);
      view.assertNothingWrong();
    });

  test('a table that is cut shows where more is, and is scrolled by the keyboard', async () => {
    await using view = await openConsole({ browser: { viewport: { width: 660, height: 740 } } });
    await sealedPackage(view.door.registry, { 'a.txt': 'x' });
    const { page } = view;
    await page.goto(`${view.url}packages`);
    await view.signIn();
    const table = page.getByRole('region', { name: 'Packages, newest first' });
    const sign = page.locator('.overflow', { has: table });
    const signed = (as: string): Promise<void> => page.locator(`[class="${as}"]`, { has: table }).waitFor();
    await signed('overflow overflow-after');
    await table.focus();
    for (let presses = 0; presses < 40 && /after/.test((await sign.getAttribute('class'))!); presses++) {
      await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(50);
    }
    await signed('overflow overflow-before');
    // The place in the navigation is in sight.
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`${view.url}access`);
    await view.signIn();
    const here = page.locator('.top nav [aria-current]');
    const isSeen = async (): Promise<boolean> => {
      const box = await here.boundingBox();
      return box !== null && box.x >= 0 && box.x + box.width <= 360;
    };
    for (let tries = 0; tries < 200 && !(await isSeen()); tries++) await page.waitForTimeout(50);
    assert.ok(await isSeen(), JSON.stringify(await here.boundingBox()));
    view.assertNothingWrong();
  });

  test('a list of packages is read without scrolling sideways, and is a table still', async () => {
    await using view = await openConsole({ anonymousRead: true, browser: { viewport: { width: 360, height: 740 } } });
    const { registry } = view.door;
    const record = await sealedPackage(registry, { 'a.txt': 'x', 'b.txt': 'y' }, { name: longWord, subject: 'component', producer: 'ci' });
    await registry.retention.hold(record.id, { reason: 'an audit' });
    const { page } = view;
    for (const path of ['', 'packages', 'search?q=component']) {
      await view.open(path);
      const table = page.getByRole('table').first();
      const row = table.getByRole('row').nth(1);
      await row.waitFor();
      assert.deepEqual(await table.getByRole('columnheader').allTextContents(), [
        'Name',
        'Producer',
        'Status',
        'Files',
        'Size',
        'Created',
        'Kept until',
      ]);
      const cells = await row.getByRole('cell').all();
      assert.equal(cells.length, 7);
      for (const cell of cells) {
        const { x, width } = (await cell.boundingBox())!;
        assert.ok(x >= 0 && x + width <= 360, `${path}: ${await cell.textContent()}`);
      }
      await row.getByRole('cell', { name: 'Sealed' }).waitFor();
      await row.getByRole('cell', { name: /held \(nothing of it is deleted/ }).waitFor();
      // What stands beside a value is drawn, and not read twice.
      await row.getByRole('cell', { name: '2', exact: true }).waitFor();
      assert.match(await page.evaluate<string>("getComputedStyle(document.querySelector('td.right'), '::before').content"), /^"Files/);
      assert.deepEqual(await page.locator('.overflow-after, .overflow-before').locator('table').count(), 0);
      await view.assertAccessible();
    }
    view.assertNothingWrong();
  });

  test('every other table is read so too, and its list is seen before its filters', async () => {
    await using view = await openConsole({ anonymousRead: true, browser: { viewport: { width: 360, height: 740 } } });
    const { registry, store } = view.door;
    const record = await sealedPackage(registry, { [`${longWord}.txt`]: 'x' }, { name: longWord, producer: longWord });
    const hold = await registry.retention.hold(record.id, { reason: longWord });
    await registry.retention.release(record.id, hold.id, {});
    await store.operator.verifyStorage('local');
    const { page } = view;
    const sha256 = (await registry.files.list(record.id)).items[0]!.digest_sha256;
    const file = `packages/${record.id}/files/${longWord}.txt`;
    for (const path of ['events', 'storage', 'usage', 'access', `search?q=${sha256}`, `packages/${record.id}`, file]) {
      await view.open(path);
      await page.getByRole('table').first().getByRole('row').nth(1).waitFor();
      // What is still to come is one cell over all columns, and may stand before what is there.
      await page.locator('.loading').first().waitFor({ state: 'detached' });
      for (const table of await page.getByRole('table').all()) {
        const headings = await table.getByRole('columnheader').allTextContents();
        const cells = await table.getByRole('row').nth(1).getByRole('cell').all();
        assert.equal(cells.length, headings.length, path);
        for (const cell of cells) {
          const { x, width } = (await cell.boundingBox())!;
          assert.ok(x >= 0 && x + width <= 360 && width > 40, `${path}: ${await cell.textContent()}`);
        }
        const labels = await Promise.all(cells.map((cell) => cell.getAttribute('data-label')));
        assert.ok(
          labels.every((label, index) => label === null || label === headings[index]),
          String(labels),
        );
        assert.equal(labels.filter((label) => label === null).length, 1, 'the heading of the card');
      }
      assert.equal(await page.locator('.overflow-after, .overflow-before').locator('table').count(), 0, path);
      await view.assertAccessible();
    }
    await view.open('packages?status=finalized');
    const fold = page.getByRole('button', { name: 'Filters (1)' });
    await fold.waitFor();
    assert.equal(await page.getByLabel('Producer').isVisible(), false);
    assert.ok((await page.getByRole('row').nth(1).boundingBox())!.y < 400);
    await fold.focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Producer').waitFor();
    await view.assertAccessible();
    await page.setViewportSize({ width: 1280, height: 740 });
    await view.open('packages?status=finalized');
    await page.getByLabel('Producer').waitFor();
    assert.equal(await fold.isVisible(), false);
    view.assertNothingWrong();
  });

  test('is walked here', () => {
    const source = readFileSync(new URL('../../console/routes.ts', import.meta.url), 'utf8');
    const routes = [...source.matchAll(/\{ path: '([^']*)'/g)].map(([, path]) => path);
    assert.ok(routes.length > 5);
    assert.deepEqual(Object.keys(addresses({ id: 'x', name: 'y' } as Package)).sort(), routes.sort());
  });
});

function addresses({ id, name }: Pick<Package, 'id' | 'name'>): Readonly<Record<string, readonly string[]>> {
  return {
    '': [''],
    packages: ['packages', 'packages?producer=nobody'],
    'packages/new': ['packages/new'],
    'packages/:id': [`packages/${id}`],
    'packages/:id/files/*': [`packages/${id}/files/deep/${longWord}/a.txt`, `packages/${id}/files/report.json`],
    storage: ['storage'],
    uploads: ['uploads'],
    usage: ['usage'],
    events: ['events?since=0'],
    access: ['access', 'access?producer=ci'],
    search: [`search?q=${encodeURIComponent(name)}`, 'search?q=nobody-knows-this'],
  };
}

async function assertBears({ page, url, ...view }: Console, place: string, browser: BrowserContextOptions): Promise<void> {
  await page.goto(`${url}${place}`);
  await page.locator('h1').first().waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  await page.waitForLoadState('load');
  for (const summary of await page.locator('main summary').all()) await summary.click();
  const { width } = browser.viewport!;
  const wide = await page.evaluate<string[]>(`(() => {
    const frames = (element) => element !== null && element !== document.body
      && (['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || frames(element.parentElement));
    return document.documentElement.scrollWidth <= ${width} ? [] :
      [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > ${width} + 1 && !frames(element.parentElement))
        .slice(-3).map((element) => element.outerHTML.slice(0, 200));
  })()`);
  assert.deepEqual(wide, [], `wider than ${width}`);
  assert.deepEqual(await cutWithoutSign(page), [], 'is cut');
  if (browser.reducedMotion === 'reduce') assert.deepEqual(await moving(page), [], 'moves');
  await view.assertAccessible();
}

/**
 * Tables that scroll and do not show it, are nameless or out of the keyboard's reach; or do not scroll and say so. What
 * grows when its content arrives is given the time that a busy machine needs to draw it.
 */
async function cutWithoutSign(page: Page): Promise<readonly string[]> {
  return await page.evaluate<string[]>(`(async () => {
    const wrong = () => [...document.querySelectorAll('.table-frame, .top nav')].filter((frame) => {
      const isCut = frame.scrollWidth - frame.clientWidth > 1;
      const signs = frame.parentElement.classList;
      const isShown = signs.contains('overflow-before') || signs.contains('overflow-after');
      const isReached = frame.matches('nav') || (frame.tabIndex === 0) === isCut;
      return isShown !== isCut || !isReached || (frame.getAttribute('aria-label') ?? '') === '';
    });
    for (let frames = 0; frames < 120 && wrong().length > 0; frames++) await new Promise(requestAnimationFrame);
    return wrong().map((frame) => frame.parentElement.outerHTML.slice(0, 200));
  })()`);
}

/** What moves, or would. */
async function moving(page: Page): Promise<readonly string[]> {
  return await page.evaluate<string[]>(`
    [...document.querySelectorAll('*')].filter((element) => {
      const { transitionDuration, animationName, animationDuration, scrollBehavior } = getComputedStyle(element);
      const lasts = (text) => text.split(',').some((each) => parseFloat(each) > 0.01);
      return lasts(transitionDuration) || (animationName !== 'none' && lasts(animationDuration)) || scrollBehavior === 'smooth';
    }).map((element) => element.outerHTML.slice(0, 120))`);
}
