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
    const work = async (): Promise<void> => {
      while (!isOver) {
        const keys = await credentials.keys();
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
    const workers = Promise.all([work(), work()]);
    // Longer than what one of them asks in a row takes on a busy machine.
    for (let round = 0; round < 10; round += 1) await place.rotate({ overlapMilliseconds: 2_000 });
    isOver = true;
    await workers;
    assert.ok(used.size >= 8, `only ${used.size} generations were used`);
    assert.ok(requests > 50);
    assert.equal(place.api.minted().length, 2);
  });
});
