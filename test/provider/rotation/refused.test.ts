import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { planRotation } from '../../../src/provider/rotation/plan.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import { openRotationPlace } from './rotation-place.ts';

describe('a rotation for another place', () => {
  test('is refused before anything is minted for what no keys of the provider can be, or is not there', async () => {
    await using place = await openRotationPlace();
    for (const [scope, code, said] of [
      [{ bucket: 'artifacts', prefix: 'a/b' }, 'invalid_configuration', /reach a whole bucket, and no less/],
      [{ bucket: 'nowhere', prefix: '' }, 'provider_forbidden', /There is no bucket nowhere at/],
    ] as const) {
      const asked = place.request({ scope });
      for (const run of [() => place.rotate({ scope }), () => planRotation(asked)])
        await assert.rejects(run, (error) => isArtifactstoreError(error, code) && said.test(error.message));
      await asked.provider.close();
    }
    assert.deepEqual((await providerStatus(place.secrets)).steps, []);
    assert.equal(place.api.calls.includes('POST /tokens'), false);
  });

  test('says that another one is finished first, where this one was to be for another place', async () => {
    await using place = await openRotationPlace({ buckets: ['artifacts', 'payroll'] });
    const log = await openStepLog(place.secrets, Date.now);
    await log.add({ generation: 1, step: 'planned', bucket: 'artifacts', prefix: '' });
    const warnings: string[] = [];
    const scope = { bucket: 'payroll', prefix: '' };
    await place.rotate({ scope, otherBucket: 'payroll', onWarning: (text) => void warnings.push(text) });
    assert.deepEqual(warnings, ['generation 1 is finished first, for bucket artifacts: run this again for bucket payroll.']);
  });
});
