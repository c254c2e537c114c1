import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { holdRequests } from './hold-requests.ts';
import { calmest, heapBytes, type MainThread, performanceEntry, traceMainThread } from './main-thread.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

const files = 100_000;
const perCall = 1_000;
/** Milliseconds of the page's own thread between two frames; the rows are to be there within a second. */
const longestFrame = 50;
const firstRows = 1_000;
/** Bytes with all of the list: 21 MiB where only that is kept which the tree shows, 78 MiB with whole records. */
const mostHeap = 40 * 2 ** 20;

describe('a package of 100,000 files in the console', { skip: noBrowser, timeout: 900_000 }, () => {
  let view: Console;
  let record: Package;
  before(async () => {
    view = await openConsole({ anonymousRead: true });
    const { registry } = view.door;
    const small = await sealedPackage(registry, { 'one.json': '{}' });
    const { content_address, size_bytes } = (await registry.files.find(small.id, 'one.json'))!;
    ({ record } = await registry.packages.create({ name: 'many', producer: 'ci', subject: 'many', retention_class: 'transient' }));
    for (let from = 0; from < files; from += perCall)
      await registry.files.attach(
        record.id,
        Array.from({ length: perCall }, (_, index) => ({ relative_path: pathOf(from + index), content_address, size_bytes })),
        { records: false },
      );
    // The server is warm.
    await view.open(`packages/${small.id}`);
    await view.page.getByRole('treeitem').first().waitFor();
  });
  after(() => view[Symbol.asyncDispose]());

  test('is seen at once, while the rest of its files comes', async (context) => {
    const { page } = view;
    await page.addInitScript(`
      new MutationObserver((_, observer) => {
        if (document.querySelector('[role=treeitem]') === null) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => performance.mark('rows')));
      }).observe(document, { childList: true, subtree: true });
    `);
    const open = async () => {
      const letGo = await holdRequests(page, /\/files\?.*cursor=/);
      const first = await traceMainThread(page, async () => {
        await page.goto(`${view.url}packages/${record.id}`);
        await page.getByRole('treeitem').first().waitFor();
      });
      assert.equal(await page.getByText('100,000 files', { exact: true }).count(), 0, 'rows before all files are there');
      const seen = await performanceEntry(page, 'mark', 'rows');
      const begun = performance.now();
      const rest = await traceMainThread(page, async () => {
        letGo();
        await page.getByText('100,000 files', { exact: true }).first().waitFor({ timeout: 120_000 });
      });
      await page.unrouteAll();
      context.diagnostic(`rows after ${Math.round(seen)} ms, the rest in ${Math.round(performance.now() - begun)} ms`);
      report(context, 'opened', first);
      report(context, 'the rest of the list', rest);
      return { first, rest };
    };
    const { first, rest } = await calmest(open, (found) => found.first.total < firstRows && found.rest.longestTask < longestFrame);
    assert.ok(first.total < firstRows, `${first.total}`);
    assert.ok(rest.longestTask < longestFrame, rest.because);
  });

  test('is scrolled without a frame of 50 ms, all of it open', async (context) => {
    const { page } = view;
    const openAll = async (attempt: number): Promise<MainThread> => {
      if (attempt > 1) {
        await page.getByRole('button', { name: 'Close all' }).click();
        await page.getByRole('link', { name: '000000.json' }).waitFor({ state: 'detached' });
      }
      const opened = await traceMainThread(page, async () => {
        await page.getByRole('button', { name: 'Open all' }).click();
        await page.getByRole('link', { name: '000000.json' }).waitFor();
      });
      report(context, 'all folders opened', opened);
      return opened;
    };
    const opened = await calmest(openAll, (found) => found.longestTask < longestFrame);
    const scroll = async (): Promise<MainThread> => {
      const scrolled = await traceMainThread(page, async () => {
        await page.evaluate(`new Promise((resolve) => {
        const tree = document.querySelector('[role=tree]');
        let frames = 0;
        const step = () => {
          tree.scrollTop += frames < 240 ? 900 : -90_000;
          frames += 1;
          if (frames < 300) requestAnimationFrame(step);
          else resolve();
        };
        requestAnimationFrame(step);
      })`);
      });
      report(context, 'scrolled', scrolled);
      return scrolled;
    };
    const scrolled = await calmest(scroll, (found) => found.longestFrame < longestFrame);
    assert.ok(scrolled.frames > 250, `${scrolled.frames}`);
    assert.ok(opened.longestTask < longestFrame, opened.because);
    assert.ok(scrolled.longestFrame < longestFrame, scrolled.because);
    assert.ok((await page.getByRole('treeitem').count()) < 150);
  });

  test('is filtered and walked by the keyboard without a pause', async (context) => {
    const { page } = view;
    const filter = page.getByLabel('Part of a path');
    const filterBy = async (): Promise<MainThread> => {
      await filter.fill('');
      const filtered = await traceMainThread(page, async () => {
        await filter.pressSequentially('99', { delay: 60 });
        await page.getByText('of 100,000 files').waitFor();
      });
      report(context, 'filtered', filtered);
      return filtered;
    };
    const filtered = await calmest(filterBy, (found) => found.longestTask < longestFrame);
    const heap = await heapBytes(page);
    context.diagnostic(`a heap of ${(heap / 2 ** 20).toFixed(0)} MiB`);
    const walk = async (attempt: number): Promise<MainThread> => {
      // It has closed a folder.
      if (attempt > 1) await page.keyboard.press('ArrowRight');
      const walked = await traceMainThread(page, async () => {
        await filter.fill('');
        await page.getByRole('tree').focus();
        await page.keyboard.press('End');
        await page.getByRole('link', { name: '099999.json' }).waitFor();
        for (let step = 0; step < 20; step++) await page.keyboard.press('ArrowUp');
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('ArrowLeft');
      });
      report(context, 'walked', walked);
      return walked;
    };
    const walked = await calmest(walk, (found) => found.longestTask < longestFrame);
    assert.ok(heap < mostHeap, `${heap}`);
    assert.ok(filtered.longestTask < longestFrame, filtered.because);
    assert.ok(walked.longestTask < longestFrame, walked.because);
    await view.assertAccessible();
    view.assertNothingWrong();
  });
});

/** Folders of 256 files. */
function pathOf(index: number): string {
  return `evidence/item-${String(index >> 8).padStart(4, '0')}/${String(index).padStart(6, '0')}.json`;
}

function report(context: TestContext, what: string, found: MainThread): void {
  const { longestTask, longestFrame: frame, longestFrameWall: wall, frames, total, because } = found;
  const ofFrames = frames === 0 ? '' : `, of ${frames} frames the longest ${frame.toFixed(0)} ms (by the clock ${wall.toFixed(0)} ms)`;
  context.diagnostic(`${what}: ${total.toFixed(0)} ms in all, the longest task ${longestTask.toFixed(0)} ms${ofFrames}; ${because}`);
}
