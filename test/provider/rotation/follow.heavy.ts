import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generationCredentials } from '../../../src/credentials/generation.ts';
import { proveAtS3 } from '../../../src/provider/s3-proof.ts';
import { withoutPatience } from '../without-patience.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace } from './rotation-place.ts';

describe('whoever uses the keys of the current generation', () => {
  test('follows ten rotations, each of which ends the keys before, without one failed request', { timeout: 60_000 }, async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const credentials = generationCredentials(place.secrets, { role: 'proxy', setting: 'HERE', checkMilliseconds: 20 });
    let isOver = false;
    const used = new Set<string>();
    let requests = 0;
    /** What each of them asks with now. */
    const inUse = ['', ''];
    const work = async (worker: number): Promise<void> => {
      while (!isOver) {
        const keys = await credentials.keys();
        inUse[worker] = keys.accessKeyId;
        used.add(keys.accessKeyId);
        const at = { endpointUrl: place.store.url, region: 'auto' };
        const { checks } = await proveAtS3(at, keys, { bucket: 'artifacts', prefix: '' }, { otherBucket: 'payroll' }, withoutPatience());
        requests += checks.length;
        assert.deepEqual(
          checks.filter(({ result }) => result !== 'holds' && result !== 'not_applicable'),
          [],
        );
        await sleep(20);
      }
    };
    const workers = Promise.all([work(0), work(1)]);
    workers.catch(() => undefined);
    while (inUse.includes('')) await Promise.race([sleep(5), workers]);
    for (let round = 0; round < 10; round += 1) {
      const before = new Set(inUse);
      // The overlap is as long as it takes them to follow, which the operator chooses by the clock.
      const onStep = async ({ step }: { readonly step: string }): Promise<void> => {
        while (step === 'draining' && inUse.some((id) => before.has(id))) await Promise.race([sleep(5), workers]);
      };
      await place.rotate({ overlapMilliseconds: 1, onStep });
    }
    isOver = true;
    await workers;
    assert.ok(used.size >= 11, `only ${used.size} generations were used`);
    assert.ok(requests > 40, `${requests} requests`);
    assert.equal(place.api.minted().length, 2);
  });
});
