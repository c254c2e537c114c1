import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSlots } from '../../../src/storage/s3/slots.ts';

describe('places', () => {
  test('are given in turn, and one that is given back twice counts once', async () => {
    const slots = createSlots(1);
    const give = await slots.take();
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const giveBack = await slots.take();
      order.push(number);
      giveBack();
    });
    give();
    give();
    await Promise.all(waiting);
    assert.deepEqual(order, [1, 2, 3]);
    await slots.take();
    const second = await Promise.race([slots.take(), new Promise((resolve) => setImmediate(resolve, 'none'))]);
    assert.equal(second, 'none');
  });

  test('are not lost with whoever stopped waiting for one, before or while it did', async () => {
    const slots = createSlots(1);
    const give = await slots.take();
    const stop = new AbortController();
    const stopped = slots.take(stop.signal);
    const behind = slots.take();
    stop.abort();
    await assert.rejects(stopped, { code: 'cancelled' });
    await assert.rejects(slots.take(stop.signal), { code: 'cancelled' });
    give();
    (await behind)();
    (await slots.take())();
  });

  test('that were given stay so when the signal comes later', async () => {
    const slots = createSlots(1);
    const stop = new AbortController();
    const give = await slots.take();
    const waiting = slots.take(stop.signal);
    give();
    stop.abort();
    (await waiting)();
    (await slots.take())();
  });
});
