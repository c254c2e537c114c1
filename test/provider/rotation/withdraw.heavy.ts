import { test } from 'node:test';
import { createRandom } from '../../registry/random.ts';
import { memorySecrets } from './memory-secrets.ts';
import { meet } from './pointed-keys.ts';
import { openRotationPlace } from './rotation-place.ts';

test('two rotations and two revocations in any order leave the pointer on good keys', { timeout: 600_000 }, async () => {
  await using place = await openRotationPlace({ secrets: memorySecrets() });
  let { generation } = await place.rotate();
  for (let seed = 1; seed <= 120; seed += 1) {
    const random = createRandom(seed);
    const revocations = { first: generation + 1, second: generation + random(2) + (seed % 2) };
    const meeting = { acts: 'all', rotations: seed % 3 === 0 ? ['rotate'] : ['rotate', 'another'], revocations } as const;
    // Whoever moved moves on more often than not: so each is found far from where the others are.
    const met = await meet(place, meeting, (waiting, moves) => {
      const last = moves.at(-1);
      return last !== undefined && waiting.includes(last) && random(10) > 0 ? last : waiting[random(waiting.length)]!;
    }).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    generation = met.generation;
  }
});
