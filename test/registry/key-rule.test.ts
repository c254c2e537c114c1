import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { live } from './key-rule-life.ts';
import { openWorld, type World } from './key-rule-world.ts';

/** More of them are lived in the heavy tests. */
const rounds = 8;

describe('a key that was released or burnt is never used again', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('so that whatever is live is there, in any order of steps', async () => {
    await using world = await openWorld(join(directory, 'real.db'));
    for (let seed = 1; seed <= rounds; seed++) await live(world, seed);
  });

  it('which breaks when keys are used again', async () => {
    await using world = await openWorld(join(directory, 'same-keys.db'), { keyOf: (key) => key.replace(/\.\d+$/, '') });
    await assert.rejects(manyLives(world, 3), /is live and not in the store/);
  });

  it('which breaks when orphans are deleted without being burnt', async () => {
    const operations = new URL('./operations-without-burn.ts', import.meta.url);
    await using world = await openWorld(join(directory, 'no-burn.db'), { operations });
    await assert.rejects(manyLives(world, 79), /is live and/);
  });

  it('which breaks when what is held is forgotten before it is put', async () => {
    await using world = await openWorld(join(directory, 'early.db'), { forgetsEarly: true });
    await assert.rejects(manyLives(world, 5), /is live and not in the store/);
  });

  it('which breaks when a settler deletes what it no longer finds held, live or not', async () => {
    const operations = new URL('./operations-settling-blindly.ts', import.meta.url);
    await using world = await openWorld(join(directory, 'blind.db'), { operations });
    await assert.rejects(manyLives(world, 2), /is live and/);
  });

  it('which breaks when what is held outlives its key', async () => {
    const operations = new URL('./operations-holding-the-dead.ts', import.meta.url);
    await using world = await openWorld(join(directory, 'dead.db'), { operations });
    await assert.rejects(manyLives(world, 6), /is held and not live/);
  });
});

/** From a seed that is known to show it; should another order of steps do so by now, one of the next. */
async function manyLives(world: World, from: number): Promise<void> {
  for (let seed = from; seed <= from + 300; seed++) await live(world, seed);
}
