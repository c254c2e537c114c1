import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames } from '../../../src/provider/documents.ts';
import type { Provider } from '../../../src/provider/PROVIDER.ts';
import { planRotation } from '../../../src/provider/rotation/plan.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import type { RotateRequest } from '../../../src/provider/rotation/run.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import { openIamRotationPlace } from './iam-rotation-place.ts';
import { memorySecrets } from './memory-secrets.ts';
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

  test('is refused by the plan and by the run where nothing can be minted, or the store cannot be written', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const both = async (more: Partial<RotateRequest>, code: ErrorCode, said: RegExp): Promise<void> => {
      for (const run of [planRotation, rotate]) {
        const asked = place.request();
        const isRight = (error: unknown): boolean => isArtifactstoreError(error, code) && said.test(error.message);
        await assert.rejects(run({ ...asked, ...more }), isRight, run.name);
        await asked.provider.close();
      }
      assert.deepEqual([place.api.minted(), (await providerStatus(place.secrets)).steps], [[], []]);
    };
    const { issuer, ...provider } = place.provider();
    await both({ provider }, 'invalid_configuration', /are made elsewhere: nothing can be rotated/);
    await provider.close();
    const { writer, ...readOnly } = place.secrets;
    await both({ secrets: readOnly }, 'invalid_configuration', /cannot be written to/);
    for (const refused of [documentNames.current, documentNames.generation(1)]) {
      const probeWrite = async (name: string): Promise<void> => {
        if (name === refused) throw new ArtifactstoreError('secrets_forbidden', `No write to ${name}.`);
      };
      const secrets = { ...readOnly, writer: { ...writer!, probeWrite } };
      await both({ secrets }, 'secrets_forbidden', new RegExp(`No write to ${refused}`));
    }
  });

  test('is taken for a prefix where keys can be that narrow, and where nobody knows whether the bucket is there', async () => {
    await using place = await openIamRotationPlace({ secrets: memorySecrets() });
    const scope = { bucket: 'artifacts', prefix: 'a/b' };
    const whole = place.provider();
    const verify: Provider['verify'] = async (authority, bucket) => {
      const { bucketIsThere, ...known } = await whole.verify(authority, bucket);
      return known;
    };
    const { generation } = await place.rotate({ scope, provider: { ...whole, verify } });
    const [made] = (await providerStatus(place.secrets)).generations;
    assert.deepEqual([generation, made?.state, made?.prefix], [1, 'current', 'a/b']);
    const log = await openStepLog(place.secrets, Date.now);
    await log.add({ generation: 2, step: 'planned', bucket: 'artifacts', prefix: 'c', previous: 1 });
    const warnings: string[] = [];
    await place.rotate({ scope, onWarning: (text) => void warnings.push(text) });
    const [ended, finished] = (await providerStatus(place.secrets)).generations;
    assert.deepEqual([ended?.state, finished?.state, finished?.prefix], ['ended', 'current', 'c']);
    assert.deepEqual(warnings, [
      'generation 2 is finished first, for c/ in bucket artifacts: run this again for a/b/ in bucket artifacts.',
    ]);
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
