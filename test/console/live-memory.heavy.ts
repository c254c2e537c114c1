import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { heapBytes, traceMainThread } from './main-thread.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

/** Minutes of a busy registry, in seconds: an event for each file. */
const warmUp = 10_000;
const events = 50_000;
const perCall = 500;
/** What 50,000 events may leave behind; each of them alone has a kilobyte. */
const mostGrowth = 4 * 2 ** 20;
/** 300 rows with their cells, whatever came. */
const mostNodes = 25_000;

describe('the live log of a busy registry', { skip: noBrowser, timeout: 900_000 }, () => {
  let view: Console;
  let one: { readonly content_address: string; readonly size_bytes: number };
  before(async () => {
    view = await openConsole({ anonymousRead: true });
    const small = await sealedPackage(view.door.registry, { 'one.json': '{}' });
    const { content_address, size_bytes } = (await view.door.registry.files.find(small.id, 'one.json'))!;
    one = { content_address, size_bytes };
  });
  after(() => view[Symbol.asyncDispose]());

  /** So many events, as fast as they are taken; until the page has read them. */
  async function happen(count: number): Promise<void> {
    const { registry } = view.door;
    const name = `of ${count}`;
    const { record } = await registry.packages.create({ name, producer: 'ci', subject: name, retention_class: 'transient' });
    for (let from = 0; from < count; from += perCall)
      await registry.files.attach(
        record.id,
        Array.from({ length: perCall }, (_, index) => ({ relative_path: `item-${from + index}`, ...one })),
        { records: false },
      );
    const last = (await view.door.lastSequence()).toLocaleString('en');
    await view.page.getByText(`read up to no. ${last}`).waitFor({ timeout: 300_000 });
  }

  test('takes no more memory, however much happens', async (context) => {
    const { page } = view;
    await view.open('events');
    await page.locator('.feed-state').getByText('Live').waitFor();
    await happen(warmUp);
    const before = await measure(page);
    const begun = performance.now();
    const busy = await traceMainThread(page, () => happen(events));
    const seconds = (performance.now() - begun) / 1_000;
    const then = await measure(page);
    context.diagnostic(
      [
        `${events} events in ${seconds.toFixed(1)} s`,
        `heap ${mebibytes(before.heap)} to ${mebibytes(then.heap)}`,
        `of the worker ${mebibytes(before.worker)} to ${mebibytes(then.worker)}`,
        `nodes ${before.nodes} to ${then.nodes}, listeners ${before.listeners} to ${then.listeners}`,
      ].join('; '),
    );
    context.diagnostic(`the longest task ${busy.longestTask.toFixed(0)} ms of ${busy.total.toFixed(0)} ms in all; ${busy.because}`);
    assert.ok(then.heap - before.heap < mostGrowth, `${before.heap} to ${then.heap}`);
    assert.ok(then.worker - before.worker < mostGrowth, `${before.worker} to ${then.worker}`);
    assert.ok(then.nodes < mostNodes, `${then.nodes}`);
    assert.ok(then.listeners < before.listeners + 100, `${before.listeners} to ${then.listeners}`);
    assert.equal(await page.getByRole('button', { name: /^Details of event/ }).count(), 300);
    await page.getByText('What was read is unaltered').waitFor();
    view.assertNothingWrong();
  });
});

interface Measured {
  readonly heap: number;
  readonly worker: number;
  readonly nodes: number;
  readonly listeners: number;
}

async function measure(page: Page): Promise<Measured> {
  const heap = await heapBytes(page);
  const session = await page.context().newCDPSession(page);
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { heap, worker: await workerHeap(page), nodes, listeners: jsEventListeners };
}

/** Of the worker that reads the log, after a collection. */
async function workerHeap(page: Page): Promise<number> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const { targetInfos } = await session.send('Target.getTargets', { filter: [{ type: 'worker' }] } as never);
  const target = targetInfos.find(({ url }) => url.includes('/log-'))!;
  const { sessionId } = await session.send('Target.attachToTarget', { targetId: target.targetId, flatten: false });
  let id = 0;
  const ask = (method: string): Promise<{ readonly result?: { readonly usedSize?: number } }> =>
    new Promise((resolve) => {
      const asked = ++id;
      session.on('Target.receivedMessageFromTarget', (event) => {
        const answer = JSON.parse(event.message) as { readonly id?: number };
        if (event.sessionId === sessionId && answer.id === asked) resolve(answer as never);
      });
      void session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id: asked, method }) });
    });
  await ask('HeapProfiler.collectGarbage');
  const { result } = await ask('Runtime.getHeapUsage');
  await session.detach();
  return result!.usedSize!;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
