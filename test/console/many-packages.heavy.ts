import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type LargeRegistry, openLargeRegistry, packages } from './large-registry.ts';
import { calmest, heapBytes, type MainThread, performanceEntry, traceMainThread } from './main-thread.ts';
import { type Console, noBrowser } from './open-console.ts';

const scrolledRows = 5_000;
/** Drawn at once, of however many. */
const mostRows = 250;
const longestFrame = 50;
/** Milliseconds of the page's own thread until its content is there; first paint is to come within half a second. */
const firstPaint = 500;
/** With all the rows that were scrolled. */
const mostHeap = 32 * 2 ** 20;
const day = 86_400_000;
const middle = new Date(Date.now() - 182 * day).toISOString().slice(0, 10);

const pages: readonly (readonly [path: string, content: string | RegExp])[] = [
  ['', 'No fault is known'],
  ['packages', 'component-'],
  [`packages?created_before=${middle}`, 'component-'],
  ['usage', 'nightly'],
  ['storage', 'local'],
  ['events', 'Live'],
];

/** By what the list is filtered, and what its first row then has. */
const filters: readonly (readonly [query: Readonly<Record<string, string>>, content: string])[] = [
  [{ name: 'build 777' }, 'build 777'],
  [{ producer: 'nightly' }, 'nightly'],
  [{ producer: 'team-7' }, 'team-7'],
  [{ producer: 'retired' }, 'retired'],
  [{ subject: 'component-77' }, 'component-77'],
  [{ status: 'finalized' }, 'Sealed'],
  [{ status: 'abandoned' }, 'Abandoned'],
  [{ retention_class: 'permanent-record' }, 'build '],
  [{ created_after: middle }, 'build '],
  [{ metadata: 'build=777' }, 'build 777'],
  [{ metadata: 'branch=main' }, 'build '],
  [{ subject: 'component-77', metadata: 'branch=main' }, 'component-77'],
  [{ status: 'abandoned', retention_class: 'transient', created_before: middle }, 'Abandoned'],
];

describe(`a registry of ${packages} packages in the console`, { skip: noBrowser, timeout: 1_800_000 }, () => {
  let registry: LargeRegistry;
  let view: Console;
  before(async () => {
    registry = await openLargeRegistry();
    view = registry.view;
    await view.open('access');
  });
  after(() => registry?.[Symbol.asyncDispose]());

  test('each page of it is seen at once, also from a link into the middle', async (context) => {
    const { page } = view;
    for (const [path, content] of pages) {
      const open = () =>
        traced(context, `/${path}`, async () => {
          await page.goto(`${view.url}${path}`);
          await page.getByText(content).first().waitFor();
        });
      const opened = await calmest(open, ({ total, longestTask }) => total < firstPaint && longestTask < longestFrame);
      const paint = await performanceEntry(page, 'paint', 'first-contentful-paint');
      context.diagnostic(`/${path}: first paint after ${paint.toFixed(0)} ms`);
      assert.ok(opened.total < firstPaint, `${path}: ${opened.total}`);
      assert.ok(opened.longestTask < longestFrame, `${path}: ${opened.because}`);
    }
  });

  test('is filtered by each field and several, by its address', async (context) => {
    const { page } = view;
    for (const [query, content] of filters) {
      const path = `packages?${new URLSearchParams(query)}`;
      const open = () =>
        traced(context, path, async () => {
          await page.goto(`${view.url}${path}`);
          await page.getByRole('row').nth(1).getByText(content).first().waitFor();
        });
      const filtered = await calmest(open, ({ total }) => total < firstPaint);
      assert.ok(filtered.total < firstPaint, `${path}: ${filtered.total}`);
    }
    // Half of them meet the one and half the other: all of one half are looked at.
    const nothing = 'packages?producer=nightly&metadata=outcome%3Dfailed';
    await traced(context, nothing, async () => {
      await page.goto(`${view.url}${nothing}`);
      await page.getByText('No package matches').waitFor();
    });
    view.assertNothingWrong();
  });

  test('is searched by a name, a subject, a digest of one file and of half a million, and by ids', async (context) => {
    const { page, door } = view;
    const [record] = (await door.registry.packages.list({ name: 'build 777' })).items;
    const [file] = (await door.registry.files.list(record!.id)).items;
    const [shared] = (await door.registry.packages.list({ name: 'build 778' })).items;
    const [everywhere] = (await door.registry.files.list(shared!.id)).items;
    const asked: readonly (readonly [text: string, content: string])[] = [
      ['build 777', 'Packages named build 777'],
      ['component-77', 'Packages about component-77'],
      ['team-7', 'Packages of the producer team-7'],
      ['nobody-knows-this', 'Nothing here is known by'],
      [file!.digest_sha256, 'Files with these bytes'],
      [everywhere!.digest_sha256, 'Files with these bytes'],
      [record!.id, 'Why it is kept'],
      [file!.id, 'Verify in this browser'],
    ];
    view.expectRefusals();
    await view.open();
    for (const [text, content] of asked) {
      const search = async (attempt: number): Promise<MainThread> => {
        // What was found is there still.
        if (attempt > 1) await view.open();
        return await traced(context, `search for ${text}`, async () => {
          await page.getByLabel('Search').fill(text);
          await page.keyboard.press('Enter');
          await page.getByText(content).first().waitFor();
        });
      };
      const found = await calmest(search, ({ total }) => total < firstPaint);
      assert.ok(found.total < firstPaint, `${text}: ${found.total}`);
    }
    view.assertNothingWrong();
  });

  test('its list is scrolled without a frame of 50 ms, there and back, and draws what is seen', async (context) => {
    const { page } = view;
    const isSmooth = (found: MainThread): boolean => found.longestFrame < longestFrame;
    const scrollDown = async (): Promise<MainThread> => {
      await view.open('packages');
      await page.getByRole('row').nth(50).waitFor();
      return await traced(context, 'down', () => scroll(page, 1_200, scrolledRows));
    };
    const down = await calmest(scrollDown, isSmooth);
    assert.ok((await page.getByRole('row').count()) < mostRows, `${await page.getByRole('row').count()}`);
    const heap = await heapBytes(page);
    context.diagnostic(`the heap of the page with ${scrolledRows} rows: ${(heap / 2 ** 20).toFixed(1)} MiB`);
    assert.ok(heap < mostHeap, `${heap}`);
    const scrollUp = async (attempt: number): Promise<MainThread> => {
      if (attempt > 1) await scroll(page, 1_200, scrolledRows);
      return await traced(context, 'up', () => scroll(page, -1_200, 0));
    };
    const up = await calmest(scrollUp, isSmooth);
    assert.equal(await page.getByRole('row').nth(1).getAttribute('aria-rowindex'), '2');
    await view.assertAccessible();
    assert.ok(down.frames + up.frames > 50, `${down.frames} and ${up.frames}`);
    assert.ok(down.longestFrame < longestFrame, down.because);
    assert.ok(up.longestFrame < longestFrame, up.because);
  });

  test('is filtered by the keyboard, and the way back leads through the lists that were seen', async (context) => {
    const { page } = view;
    const filter = async (attempt: number): Promise<MainThread> => {
      if (attempt > 1) {
        await page.goBack();
        await page.getByRole('row').nth(30).waitFor();
      }
      return await traced(context, 'filtered', async () => {
        await page.getByRole('textbox', { name: 'Subject' }).fill('component-77');
        await page.keyboard.press('Enter');
        await page.waitForURL(/subject=component-77/);
        await page.getByRole('cell', { name: 'component-77' }).first().waitFor();
      });
    };
    const filtered = await calmest(filter, (found) => found.longestTask < longestFrame);
    assert.equal(await page.getByRole('row').nth(1).getByText('component-77').count(), 1);
    assert.ok(filtered.longestTask < longestFrame, filtered.because);
    await page.getByRole('row').nth(1).getByRole('link').click();
    await page.getByRole('heading', { name: 'Why it is kept' }).waitFor();
    await page.goBack();
    await page.getByRole('cell', { name: 'component-77' }).first().waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Subject' }).inputValue(), 'component-77');
    await page.goBack();
    await page.getByRole('row').nth(30).waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Subject' }).inputValue(), '');
    view.assertNothingWrong();
  });

  /** Traces it, and says what it took here and on the server. */
  async function traced(context: TestContext, what: string, act: () => Promise<void>): Promise<MainThread> {
    const [begun, server] = [performance.now(), registry.serverMilliseconds()];
    let ended = begun;
    const found = await traceMainThread(view.page, async () => {
      await act();
      ended = performance.now();
    });
    const { longestTask, longestFrame: frame, longestFrameWall: wall, frames, total, because } = found;
    const ofFrames = frames === 0 ? '' : `, of ${frames} frames the longest ${frame.toFixed(0)} ms (by the clock ${wall.toFixed(0)} ms)`;
    context.diagnostic(
      `${what}: ${(ended - begun).toFixed(0)} ms by the clock; the page's thread ${total.toFixed(0)} ms in all, ` +
        `its longest task ${longestTask.toFixed(0)} ms${ofFrames}; server and test ${(registry.serverMilliseconds() - server).toFixed(0)} ms; ${because}`,
    );
    return found;
  }
});

/** By so many pixels a frame, until the list has been read to a row, or is at its begin again. */
async function scroll(page: Page, by: number, toRow: number): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const step = () => {
      scrollBy(0, ${by});
      const last = [...document.querySelectorAll('[aria-rowindex]')].at(-1);
      const there = ${by} > 0 ? last !== undefined && Number(last.ariaRowIndex) > ${toRow} : scrollY === 0;
      if (there) requestAnimationFrame(() => requestAnimationFrame(resolve));
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  })`);
}
