import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openHeldWorld } from '../held-world.ts';

describe('a small file takes the direct way', () => {
  it('when none is to be held', async () => {
    await using world = await openHeldWorld({ parts: { hold: { longestBytes: 0, totalBytes: 1_000_000 } } });
    await world.add(await world.newPackage(), 'f', Buffer.alloc(0));
    assert.deepEqual([world.held().length, (await world.stored()).length], [0, 1]);
  });

  it('when as much is held as may be', async () => {
    await using world = await openHeldWorld({ parts: { hold: { longestBytes: 100, totalBytes: 150 } } });
    const id = await world.newPackage();
    for (const [index, size] of [100, 60, 50, 1].entries()) await world.add(id, `f${index}`, Buffer.alloc(size, index));
    assert.deepEqual([world.held().length, (await world.stored()).length], [2, 2]);
  });

  it('when as many are held as may be', async () => {
    await using world = await openHeldWorld({ parts: { hold: { longestBytes: 100, totalBytes: 1_000_000, totalObjects: 2 } } });
    const id = await world.newPackage();
    for (const index of [0, 1, 2]) await world.add(id, `f${index}`, Buffer.alloc(1, index));
    assert.deepEqual([world.held().length, (await world.stored()).length], [2, 1]);
  });

  it('when the backend has not taken for long what is held for it', async () => {
    let now = Date.now();
    let uptime = 0;
    await using world = await openHeldWorld({ parts: { now: () => now, uptime: () => uptime } });
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('f'));
    now += 600_000;
    uptime += 600_000;
    await world.add(id, 'g', Buffer.from('g'));
    assert.deepEqual([world.held().length, (await world.stored()).length], [1, 1]);
    await world.settle();
    uptime += 2_000;
    await world.add(id, 'h', Buffer.from('h'));
    assert.equal(world.held().length, 1);
  });
});
