import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLimit, forEachLimited } from '../../src/runtime/limit.ts';

describe('places', () => {
  test('are given in turn, and one that is given back twice counts once', async () => {
    const limit = createLimit(1);
    const give = await limit.take();
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const giveBack = await limit.take();
      order.push(number);
      giveBack();
    });
    give();
    give();
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2, 3]);
    await limit.take();
    const second = await Promise.race([limit.take(), new Promise((resolve) => setImmediate(resolve, 'none'))]);
    assert.equal(second, 'none');
  });

  test('are not lost with whoever stopped waiting for one, before or while it did', async () => {
    const limit = createLimit(1);
    const give = await limit.take();
    const stop = new AbortController();
    const stopped = limit.take(stop.signal);
    const behind = limit.take();
    stop.abort();
    await assert.rejects(stopped, { code: 'cancelled' });
    await assert.rejects(limit.take(stop.signal), { code: 'cancelled' });
    give();
    (await behind)();
    (await limit.take())();
  });

  test('that were given stay so when the signal comes later', async () => {
    const limit = createLimit(1);
    const stop = new AbortController();
    const give = await limit.take();
    const waiting = limit.take(stop.signal);
    give();
    stop.abort();
    (await waiting)();
    (await limit.take())();
  });

  test('are given back by work that fails, and at once by work that ends', async () => {
    const limit = createLimit(1);
    await assert.rejects(
      limit.run(() => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await limit.run(async () => 'yes'), 'yes');
  });
});

describe('work on every item', () => {
  test('has at most so many under way, and begins in order', async () => {
    const begun: number[] = [];
    let [now, most] = [0, 0];
    await forEachLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      begun.push(item);
      now += 1;
      most = Math.max(most, now);
      await new Promise(setImmediate);
      now -= 1;
    });
    assert.deepEqual(begun, [1, 2, 3, 4, 5, 6, 7]);
    assert.equal(most, 3);
  });

  test('ends with the first failure, when nothing is running any more', async () => {
    let [begun, running] = [0, 0];
    const work = forEachLimited([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun += 1;
      running += 1;
      for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
      running -= 1;
      if (item === 2) throw new Error('two');
    });
    await assert.rejects(work, /two/);
    assert.equal(running, 0);
    assert.ok(begun < 6, `${begun} begun`);
  });

  test('ends so too where the items fail, and tells their source that nobody takes more', async () => {
    let [running, told] = [0, false];
    const items = async function* (): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
        throw new Error('no more');
      } finally {
        told = true;
      }
    };
    const work = forEachLimited(items(), 4, async () => {
      running += 1;
      for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
      running -= 1;
    });
    await assert.rejects(work, /no more/);
    assert.deepEqual([running, told], [0, true]);
  });
});
