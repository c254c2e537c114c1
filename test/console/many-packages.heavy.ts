import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { writeHistory } from '../../bench/history.ts';
import { databasePath, runArtifactstore, startArtifactstore } from '../../bench/server.ts';
import { type MainThread, traceMainThread } from './main-thread.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';

/** Of a registry that has been in use for a year. */
const packages = Number(process.env.ARTIFACTSTORE_TEST_CONSOLE_PACKAGES ?? 50_000);
const scrolledRows = 3_000;
/** Drawn at once, of however many. */
const mostRows = 250;
const longestFrame = 50;
/** Milliseconds of the page's own thread until its content is there; first paint is to come within half a second. */
const firstPaint = 500;
/** By the clock, on a machine that does other work too. */
const firstPaintWall = 4_000;
const pages: readonly (readonly [path: string, content: string | RegExp])[] = [
  ['', 'Everything works'],
  ['packages', 'component-'],
  ['usage', 'nightly'],
  ['storage', 'local'],
  ['events', 'Live'],
];

describe(`a registry of ${packages} packages in the console`, { skip: noBrowser, timeout: 1_800_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-many-'));
  let view: Console;
  before(async () => {
    // A store whose log knows of objects before it has its marker is in doubt.
    await (await startArtifactstore(directory))[Symbol.asyncDispose]();
    writeHistory(databasePath(directory), packages, { filesPerPackage: 1 });
    await runArtifactstore(directory, ['replay']);
    view = await openConsole({
      anonymousRead: true,
      environment: {
        ARTIFACTSTORE_DATABASE_URL: `sqlite:${databasePath(directory)}`,
        ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(directory, 'storage'),
      },
    });
    await view.open('access');
  });
  after(async () => {
    await view?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('each page of it is seen at once', async (context) => {
    const { page } = view;
    for (const [path, content] of pages) {
      const opened = await traceMainThread(page, async () => {
        await page.goto(`${view.url}${path}`);
        await page.getByText(content).first().waitFor({ timeout: 30_000 });
      });
      const [paint, shown] = await page.evaluate<[number, number]>(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]",
      );
      context.diagnostic(`/${path}: first paint after ${paint.toFixed(0)} ms, its content after ${shown.toFixed(0)} ms`);
      report(context, `/${path}`, opened);
      assert.ok(paint < firstPaintWall, `${path}: ${paint}`);
      assert.ok(opened.total < firstPaint, `${path}: ${opened.total}`);
    }
  });

  test('its list is scrolled without a frame of 50 ms, there and back, and draws what is seen', async (context) => {
    const { page } = view;
    await view.open('packages');
    await page.getByRole('row').nth(50).waitFor();
    const down = await traceMainThread(page, () => scroll(page, 1_200, scrolledRows));
    report(context, 'down', down);
    assert.ok((await page.getByRole('row').count()) < mostRows, `${await page.getByRole('row').count()}`);
    const up = await traceMainThread(page, () => scroll(page, -1_200, 0));
    report(context, 'up', up);
    assert.equal(await page.getByRole('row').nth(1).getAttribute('aria-rowindex'), '2');
    await view.assertAccessible();
    assert.ok(down.frames + up.frames > 50, `${down.frames} and ${up.frames}`);
    assert.ok(down.longestFrame < longestFrame, down.because);
    assert.ok(up.longestFrame < longestFrame, up.because);
  });

  test('is filtered by its address and by the keyboard', async (context) => {
    const { page } = view;
    const filtered = await traceMainThread(page, async () => {
      await page.getByRole('textbox', { name: 'Subject' }).fill('component-77');
      await page.keyboard.press('Enter');
      await page.waitForURL(/subject=component-77/);
      await page.getByRole('cell', { name: 'component-77' }).first().waitFor({ timeout: 30_000 });
    });
    report(context, 'filtered', filtered);
    assert.equal(await page.getByRole('row').nth(1).getByText('component-77').count(), 1);
    assert.ok(filtered.longestTask < longestFrame, filtered.because);
    view.assertNothingWrong();
  });
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

function report(context: TestContext, what: string, found: MainThread): void {
  const { longestTask, longestFrame: frame, longestFrameWall: wall, frames, total, because } = found;
  const ofFrames = frames === 0 ? '' : `, of ${frames} frames the longest ${frame.toFixed(0)} ms (by the clock ${wall.toFixed(0)} ms)`;
  context.diagnostic(`${what}: ${total.toFixed(0)} ms in all, the longest task ${longestTask.toFixed(0)} ms${ofFrames}; ${because}`);
}
