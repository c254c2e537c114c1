import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames } from '../../../src/provider/documents.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';

const now = (): number => Date.UTC(2026, 0, 2);

describe('the log of steps', () => {
  test('is added to by whoever knows its end, and says all that it was told', async () => {
    const secrets = memorySecrets();
    const first = await openStepLog(secrets, now);
    const second = await openStepLog(secrets, now);
    const step = {
      generation: 1,
      step: 'planned',
      bucket: 'b',
      prefix: '',
      previous: 4,
      ids: ['i'],
      until: 'u',
      told: 't',
      label: 'l',
    } as const;
    await first.add(step);
    await assert.rejects(second.add({ generation: 9, step: 'planned' }), (error) => isArtifactstoreError(error, 'rotation_conflict'));
    assert.deepEqual(second.steps, []);
    await first.add({ generation: 1, step: 'minting', role: 'admin' });
    const at = '2026-01-02T00:00:00.000Z';
    const written = [
      { at, ...step },
      { at, generation: 1, step: 'minting', role: 'admin' },
    ];
    assert.deepEqual(first.steps, written);
    assert.deepEqual((await openStepLog(secrets, now)).steps, written);
  });

  test('keeps the last ones, so that it never becomes too long to be kept', async () => {
    const log = await openStepLog(memorySecrets(), now);
    for (let generation = 1; generation <= 125; generation += 1) await log.add({ generation, step: 'done' });
    assert.deepEqual([log.steps.length, log.steps[0]?.generation, log.steps.at(-1)?.generation], [120, 6, 125]);
  });

  test('tells what the store says where that is no conflict', async () => {
    const secrets = memorySecrets();
    const put = async (): Promise<never> => {
      throw new ArtifactstoreError('secrets_unavailable', 'It is sealed.');
    };
    const log = await openStepLog({ ...secrets, writer: { ...secrets.writer!, put } }, now);
    await assert.rejects(log.add({ generation: 1, step: 'done' }), (error) => isArtifactstoreError(error, 'secrets_unavailable'));
  });

  test('is refused where it is none, and of a step only what has its form is taken', async () => {
    const secrets = memorySecrets();
    const step = { at: 'a', generation: 1, step: 'done' };
    const read = async (steps: unknown) => {
      await writeByHand({ secrets }, documentNames.steps, secretOf(JSON.stringify({ format: 1, steps })));
      return (await openStepLog(secrets, now)).steps;
    };
    for (const steps of [
      ...[undefined, {}, ['done'], [null]],
      ...[{ step: 'hush' }, { generation: '1' }, { at: 1 }, { at: undefined }].map((wrong) => [step, { ...step, ...wrong }]),
    ])
      await assert.rejects(read(steps), (error) => isArtifactstoreError(error, 'secret_unusable') && !error.message.includes('hush'));
    const odd = { ids: ['i', 1], previous: '4', until: 5, told: null, bucket: {}, more: 'hush' };
    assert.deepEqual(
      await read([
        { ...step, ...odd },
        { ...step, ids: 'i' },
      ]),
      [{ ...step, ids: ['i'] }, step],
    );
  });
});
