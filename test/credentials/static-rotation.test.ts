import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Keys } from '../../src/credentials/CREDENTIALS.ts';
import { staticCredentials } from '../../src/credentials/static.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { type KeyFileName, keyFileNames, keyFiles, valueOfPart } from './key-files.ts';
import { virtualClock } from './virtual-clock.ts';

interface Rotation {
  /** Since the last rotation was over. */
  readonly afterMilliseconds: number;
  readonly order: readonly KeyFileName[];
  readonly gapsMilliseconds: readonly number[];
  readonly how: 'rename' | 'in place' | 'gone meanwhile';
}

const gap = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 2000 }));
const rotation: fc.Arbitrary<Rotation> = fc.record({
  afterMilliseconds: fc.integer({ min: 8000, max: 15_000 }),
  order: fc.shuffledSubarray([...keyFileNames], { minLength: keyFileNames.length }),
  gapsMilliseconds: fc.array(gap, { minLength: 2, maxLength: 2 }),
  how: fc.constantFrom('rename', 'in place', 'gone meanwhile'),
});
const world = fc.record({
  rotations: fc.array(rotation, { minLength: 1, maxLength: 3 }),
  /** How long between two calls on the store. */
  pauses: fc.array(fc.integer({ min: 20, max: 1500 }), { minLength: 1, maxLength: 20 }),
});

test('while the store takes old keys too, no rotation is noticed: each pair is whole, none is refused', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (each) => {
      const calls = await live(each, () => true);
      for (const { keys } of calls) assert.notEqual(generationOf(keys), undefined, `torn: ${JSON.stringify(keys)}`);
      assert.equal(generationOf(calls.at(-1)!.keys), each.rotations.length);
      assert.equal(
        new Set(calls.map(({ keys }) => keys)).size,
        new Set(calls.map(({ keys }) => generationOf(keys))).size,
        'one object each',
      );
    }),
    { numRuns: 25 },
  );
});

test('when the store drops old keys at once, one refusal is enough as soon as all files are there', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (each) => {
      const calls = await live(each, (generation, newest) => generation === newest);
      for (const { keys, settled } of calls) if (settled !== undefined) assert.equal(generationOf(keys), settled);
      assert.equal(generationOf(calls.at(-1)!.keys), each.rotations.length);
    }),
    { numRuns: 25 },
  );
});

interface Call {
  /** What a caller has in the end who asks once more after a refusal. */
  readonly keys: Keys;
  /** The generation of all files during the whole call, if it was one. */
  readonly settled: number | undefined;
}

/** Calls on a store while the rotations go on and ten seconds after. Virtual time, real files. */
async function live(
  { rotations, pauses }: typeof world extends fc.Arbitrary<infer T> ? T : never,
  accepts: (generation: number, newest: number) => boolean,
): Promise<readonly Call[]> {
  using files = keyFiles();
  const clock = virtualClock();
  for (const name of keyFileNames) files.write(name, 0);
  let newest = 0;
  let moving = false;
  let movedDuringCall = false;
  let time = 0;
  for (const [index, { afterMilliseconds, order, gapsMilliseconds, how }] of rotations.entries()) {
    time += afterMilliseconds;
    for (const [position, name] of order.entries()) {
      clock.at(time, () => {
        newest = index + 1;
        moving = position < order.length - 1;
        movedDuringCall = true;
        if (how === 'gone meanwhile' && position === 0) for (const each of order) files.remove(each);
        files.write(name, newest, how === 'in place' ? how : 'rename');
      });
      time += gapsMilliseconds[position] ?? 0;
    }
  }
  const start = clock.now();
  const credentials = staticCredentials(
    {
      accessKeyRef: `file:${files.path('access')}`,
      secretKeyRef: `file:${files.path('secret')}`,
      sessionTokenRef: `file:${files.path('token')}`,
    },
    clock,
  );
  const taken = (keys: Keys): boolean => {
    const generation = generationOf(keys);
    return generation !== undefined && accepts(generation, newest);
  };
  const calls: Call[] = [];
  for (let turn = 0; clock.now() - start < time + 10_000; turn += 1) {
    movedDuringCall = moving;
    try {
      let keys = await credentials.keys();
      if (!taken(keys)) {
        credentials.refused(keys);
        keys = await credentials.keys();
      }
      calls.push({ keys, settled: movedDuringCall ? undefined : newest });
    } catch (error) {
      // No keys at all is an answer only while refused keys have no successor on the disk.
      assert.ok(isArtifactstoreError(error, 'storage_unavailable') && movedDuringCall, error as Error);
    }
    clock.advance(pauses[turn % pauses.length]!);
  }
  return calls;
}

function generationOf(keys: Keys): number | undefined {
  const generation = Number(/\d+/.exec(keys.accessKeyId)?.[0]);
  return keys.secretAccessKey === valueOfPart('secret', generation) && keys.sessionToken === valueOfPart('token', generation)
    ? generation
    : undefined;
}
