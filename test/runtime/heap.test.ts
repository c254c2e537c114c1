import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { getHeapSpaceStatistics } from 'node:v8';
import { afterCollection, type Collected, giveBackMemory, heapSize, isWorthIt } from '../../src/runtime/heap.ts';

test('a heap that was large for a moment is small again, though nobody asks for memory', async () => {
  const end = giveBackMemory(32 * mebibyte);
  let held: object[] | undefined = Array.from({ length: 3_000_000 }, (_, index) => ({ index }));
  const large = heapSize().old;
  assert.ok(held.length > 0 && large > 50 * mebibyte, `${large} bytes`);
  held = undefined;
  const until = performance.now() + 20_000;
  while (heapSize().old > large / 2 && performance.now() < until) await sleep(100);
  assert.ok(heapSize().old <= large / 2);
  end();
});

test('who is about to make much waits until what was left is given back, and no longer than he is told to', async () => {
  const late = sleep(1, 'late');
  assert.equal(await Promise.race([afterCollection().then(() => 'at once'), late]), 'at once', 'nothing is due where nobody collects');
  const end = giveBackMemory(32 * mebibyte);
  let held: object[] | undefined = Array.from({ length: 3_000_000 }, (_, index) => ({ index }));
  assert.ok(held.length > 0 && heapSize().old > 50 * mebibyte);
  held = undefined;
  await afterCollection(20_000);
  assert.ok(heapSize().old < 40 * mebibyte);
  end();
});

test('room for what is just being made is given back every ten seconds at most, since busy work takes it again', () => {
  const large = 90 * mebibyte;
  const start = heap(0, 0, 0);
  assert.equal(isWorthIt(heap(1_500, 128, 45), start, large), false);
  assert.equal(isWorthIt(heap(11_000, 128, 45), start, large), true);
  assert.equal(isWorthIt(heap(22_000, 128, 45), heap(11_000, 1, 34), large), true);
  assert.equal(isWorthIt(heap(22_000, 1, 70), heap(11_000, 1, 68), large), false, 'the last one was of little use');
  assert.equal(isWorthIt(heap(60_000, 40, 45), heap(0, 1, 34), large), false, 'it is small');
});

test('what was kept and is left is given back soon', () => {
  const large = 90 * mebibyte;
  assert.equal(isWorthIt(heap(200, 1, 200), heap(0, 1, 34), large), false);
  assert.equal(isWorthIt(heap(300, 1, 76), heap(0, 1, 34), large), true);
  assert.equal(isWorthIt(heap(300, 1, 74), heap(0, 1, 34), large), false);
  assert.equal(isWorthIt(heap(300, 1, 240), heap(0, 1, 200), large), false, 'the last one was of little use');
});

test('what is outside of the heap and nobody uses is given back as soon, and both count together', () => {
  const large = 90 * mebibyte;
  assert.equal(isWorthIt(heap(200, 1, 0, 200), heap(0, 1, 0), large), false);
  assert.equal(isWorthIt(heap(300, 1, 0, 76), heap(0, 1, 0), large), true);
  assert.equal(isWorthIt(heap(300, 1, 0, 74), heap(0, 1, 0), large), false);
  assert.equal(isWorthIt(heap(300, 1, 41, 35), heap(0, 1, 20, 10), large), true);
  assert.equal(isWorthIt(heap(300, 1, 34, 160), heap(0, 1, 34, 130), large), false, 'the last one was of little use');
});

test('where the process has much already, less is left, of all kinds together', () => {
  const large = 90 * mebibyte;
  const [much, little] = [460 * mebibyte, 440 * mebibyte];
  assert.equal(isWorthIt(heap(300, 12, 24, 10), heap(0, 1, 20), large, little), false);
  assert.equal(isWorthIt(heap(300, 12, 24, 10), heap(0, 1, 20), large, much), true);
  assert.equal(isWorthIt(heap(300, 10, 24, 10), heap(0, 1, 20), large, much), false, 'it is small');
  assert.equal(isWorthIt(heap(300, 12, 24, 10), heap(0, 1, 38), large, much), false, 'the last one was of little use');
  assert.equal(isWorthIt(heap(200, 12, 24, 10), heap(0, 1, 20), large, much), false, 'the last one was just before');
});

test('a collection that took long is not repeated soon, so that they take an eighth of the time at most', () => {
  const large = 90 * mebibyte;
  const last = { ...heap(0, 1, 34), took: 100 };
  assert.equal(isWorthIt(heap(700, 1, 200), last, large), false);
  assert.equal(isWorthIt(heap(900, 1, 200), last, large), true);
  const much = 460 * mebibyte;
  assert.equal(isWorthIt(heap(390, 1, 200), last, large, much), false);
  assert.equal(isWorthIt(heap(410, 1, 200), last, large, much), true, 'a quarter where the process has much already');
  assert.equal(isWorthIt(heap(410, 1, 200), last, large, 0, true), true, 'or where it is waited for');
});

test('bytes that were left are given back, though they are not in the heap', async () => {
  let held: Uint8Array[] | undefined = Array.from({ length: 100 }, () => new Uint8Array(mebibyte));
  const large = heapSize().outside;
  assert.ok(held.length > 0 && large > 100 * mebibyte, `${large} bytes`);
  held = undefined;
  const end = giveBackMemory(96 * mebibyte);
  const until = performance.now() + 20_000;
  while (heapSize().outside > large / 2 && performance.now() < until) await sleep(100);
  assert.ok(heapSize().outside <= large / 2);
  end();
});

test('a bound of NODE_OPTIONS for the main thread is not one for threads that have their own', () => {
  // The main thread makes as much as it may keep, then the thread does.
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { Worker } from 'node:worker_threads';
    import { leaveThreadsTheirLimits } from ${JSON.stringify(heapModule)};
    leaveThreadsTheirLimits();
    const work = ${work};
    const main = work(getHeapSpaceStatistics);
    const text = 'require("node:worker_threads").parentPort.postMessage((' + work + ')(require("node:v8").getHeapSpaceStatistics))';
    const worker = new Worker(text, { eval: true, execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: 2 } });
    worker.on('message', (thread) => console.log(JSON.stringify({ main, thread })));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, NODE_OPTIONS: '--max-semi-space-size=8' },
    encoding: 'utf8',
  });
  assert.match(stdout, /^\{/, stderr);
  const { main, thread } = JSON.parse(stdout) as { readonly main: number; readonly thread: number };
  assert.equal(main, 16 * mebibyte);
  // Its semi-spaces have 1 MiB each, and V8 has some room beside them; with the bound of the main thread it has 16.
  assert.ok(thread <= 8 * mebibyte, `${thread} bytes`);
});

const heapModule = new URL('../../src/runtime/heap.ts', import.meta.url).href;

/** How large the young generation has grown, in bytes. */
function work(spaces: typeof getHeapSpaceStatistics): number {
  let kept: object[] = [];
  let most = 0;
  for (let index = 0; index < 3_000_000; index++) {
    kept.push({ index });
    if (kept.length < 100_000) continue;
    kept = [];
    most = Math.max(most, spaces().find(({ space_name }) => space_name === 'new_space')!.space_size);
  }
  return most;
}

function heap(at: number, young: number, old: number, outside = 0): Collected {
  return { at, young: young * mebibyte, old: old * mebibyte, outside: outside * mebibyte, took: 0 };
}

const mebibyte = 1_048_576;
