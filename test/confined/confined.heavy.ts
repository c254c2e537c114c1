import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { createConfined } from '../../src/confined/confined.ts';
import { moduleUrl } from '../../src/runtime/module-url.ts';
import type { WorkInput } from './work.ts';

/** Of the processor's time, and four times as long by the clock: so long is what a busy machine may hold up. */
const bounds = { quickMilliseconds: 150, quickHeapMebibytes: 24, milliseconds: 600, heapMebibytes: 24, slow: 3, slowOfOne: 2 };

describe('work in threads that can be killed', () => {
  let time = 0;
  const confined = createConfined<WorkInput, number>(moduleUrl('./work.ts', import.meta.url), bounds, () => time);
  after(() => confined.close());
  const echo = async (value: number, caller = 'good') =>
    assert.deepEqual(await confined.run({ echo: value }, caller, 'echo'), { kind: 'done', output: value });

  test('answers in order, and fails only what failed', async () => {
    await Promise.all([1, 2, 3].map((value) => echo(value)));
    await Promise.all([assert.rejects(confined.run('throw', 'a', 't'), { code: 'internal' }), echo(4)]);
    await Promise.all([assert.rejects(confined.run('exit', 'a', 'e'), { code: 'internal' }), echo(5)]);
  });

  test('is ended by its bounds, says which, and what waits gets another thread', async () => {
    const over = (bound: string) => ({ kind: 'over', bound });
    const spun = confined.run('spin', 'bad', 'spin');
    await echo(6);
    assert.deepEqual(await spun, over('time'));
    // Filled memory may be noticed by its time first where it is quick, and by its memory where it has all of its time.
    const outcome = await confined.run('fill', 'bad', 'fill');
    assert.ok(outcome.kind === 'over');
    await echo(7);
    const roomy = createConfined<WorkInput, number>(moduleUrl('./work.ts', import.meta.url), { ...bounds, milliseconds: 20_000 }, () => 0);
    assert.deepEqual(await roomy.run('fill', 'bad', 'fill'), over('memory'));
    await roomy.close();
  });

  test('what is slow waits for what is slow, up to a number for each and for all, and never before what is quick', async () => {
    const slow = (caller: string, about: string) => confined.run('spin', caller, about);
    await slow('bad', 'x');
    const all = [slow('bad', 'x'), slow('bad', 'x'), slow('bad', 'x')];
    await echo(8);
    const outcomes = [...(await Promise.all(all)), await slow('worse', 'y')];
    assert.deepEqual(
      outcomes.map((outcome) => outcome.kind === 'over' && outcome.bound),
      ['time', 'time', 'waiting', 'time'],
    );
    // Slower than quick and within its bound: done, by the second way and then by it at once.
    assert.equal((await confined.run({ spinFor: 300 }, 'slow', 'z')).kind, 'done');
    // After a time it is tried anew.
    time += 3_600_000;
    assert.deepEqual(await confined.run({ echo: 9 }, 'bad', 'x'), { kind: 'done', output: 9 });
  });

  test('many of one caller do not hold up another, and make the rest of theirs slow', async () => {
    let settled = 0;
    const flood = Array.from({ length: 12 }, (_, index) => confined.run('spin', 'flood', `slug-${index}`).finally(() => settled++));
    await echo(10);
    assert.ok(settled < 3, `${settled} of the others came first`);
    const bounded = new Set((await Promise.all(flood)).map((outcome) => outcome.kind === 'over' && outcome.bound));
    assert.deepEqual(bounded, new Set(['time', 'waiting']));
  });

  test('gives back what an input took once it is done', async () => {
    const roomy = { ...bounds, quickMilliseconds: 20_000, quickHeapMebibytes: 96 };
    const swelling = createConfined<WorkInput, number>(moduleUrl('./work.ts', import.meta.url), roomy, () => 0);
    const heap = async (after: 'swell' | 'heap'): Promise<number> => {
      const outcome = await swelling.run(after, 'a', after);
      assert.ok(outcome.kind === 'done');
      return outcome.output;
    };
    assert.ok((await heap('swell')) > 33_000_000);
    for (const end = performance.now() + 30_000; (await heap('heap')) > 20_000_000 && performance.now() < end; ) await sleep(50);
    assert.ok((await heap('heap')) < 20_000_000);
    await swelling.close();
  });

  test('closes at once, whatever is under way', async () => {
    const closing = createConfined<WorkInput, number>(
      moduleUrl('./work.ts', import.meta.url),
      { ...bounds, quickMilliseconds: 60_000 },
      () => 0,
    );
    await closing.run({ echo: 1 }, 'a', 'a');
    const spinning = [closing.run('spin', 'a', 'a'), closing.run('spin', 'b', 'b')];
    const refused = Promise.all(spinning.map((each) => assert.rejects(each, { code: 'cancelled' })));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await closing.close();
    await refused;
    await assert.rejects(closing.run({ echo: 1 }, 'a', 'a'), { code: 'cancelled' });
  });

  test('kills no thread that is starting: the engine can break down', async () => {
    const said: unknown[] = [];
    const watch = (worker: Worker): void => void worker.once('message', (message) => said.push(message));
    process.on('worker', watch);
    try {
      const closing = createConfined<WorkInput, number>(moduleUrl('./work.ts', import.meta.url), bounds, () => 0);
      const refused = assert.rejects(closing.run({ echo: 1 }, 'a', 'a'), { code: 'cancelled' });
      await new Promise((resolve) => setImmediate(resolve));
      await closing.close();
      await refused;
      assert.deepEqual(said, [{ kind: 'ready' }]);
    } finally {
      process.removeListener('worker', watch);
    }
  });
});
