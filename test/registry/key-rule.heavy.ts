import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { live, type Taken } from './key-rule-life.ts';
import { openWorld } from './key-rule-world.ts';

const lives = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 60);
const first = Number(process.env.ARTIFACTSTORE_TEST_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

test(`whatever is live is there, in any order of steps (${lives} from seed ${first})`, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  await using world = await openWorld(join(directory, 'real.db'));
  const taken: Taken = { overtaken: 0, settled: 0 };
  // One life in twenty has an ingest that is overtaken.
  const enough = (lived: number) => lived >= lives && (taken.overtaken > 0 || lived >= 10 * lives);
  for (let lived = 0; !enough(lived); lived++) await live(world, first + lived, taken);
  assert.ok(taken.overtaken > 0, 'no ingest was ever overtaken');
  assert.ok(taken.settled > 0, 'nothing that was held was ever settled');
});
