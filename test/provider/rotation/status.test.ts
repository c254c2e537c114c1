import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentNames, writeEnded, writeGeneration } from '../../../src/provider/documents.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace } from './rotation-place.ts';

const keysOf = (id: string, expiresAtMilliseconds?: number) => ({
  ...{ id, accessKeyId: id, secretAccessKey: secretOf('hush'), expiresAtMilliseconds },
});

test('the status has generations by their numbers, the earlier end of both keys, and the last steps', async () => {
  const secrets = memorySecrets();
  assert.deepEqual(await providerStatus(secrets), {
    ...{ action: 'status', store: 'memory', pair: null, current: null, generations: [], unfinished: null, steps: [] },
  });
  const early = Date.UTC(2026, 0, 2);
  const facts = { provider: 'static', account: 'a', bucket: 'b', prefix: '', madeAt: 'then' } as const;
  const write = async (generation: number, ends: readonly [number | undefined, number | undefined]): Promise<void> => {
    const keys = { admin: keysOf('a', ends[0]), proxy: keysOf('p', ends[1]) };
    await writeByHand({ secrets }, documentNames.generation(generation), writeGeneration({ ...facts, generation, keys }));
  };
  await write(10, [early + 1000, early]);
  await write(9, [undefined, undefined]);
  await writeByHand({ secrets }, documentNames.generation(8), writeEnded(8, 'then'));
  await writeByHand({ secrets }, `${documentNames.generation(9)}/notes`, secretOf('hush'));
  const log = await openStepLog(secrets, Date.now);
  for (let generation = 1; generation <= 25; generation += 1) await log.add({ generation, step: 'done' });
  const vanishing = { ...secrets, list: async () => [...(await secrets.list()), documentNames.generation(7)] };
  const { generations, steps } = await providerStatus(vanishing);
  assert.deepEqual(
    generations.map(({ generation, state, expires_at, ids }) => [generation, state, expires_at, ids]),
    [
      [8, 'ended', null, []],
      [9, 'kept', null, ['a', 'p']],
      [10, 'kept', '2026-01-02T00:00:00.000Z', ['a', 'p']],
    ],
  );
  assert.deepEqual([steps.length, steps[0]?.generation, steps.at(-1)?.generation], [20, 6, 25]);
});

test('the status names the pair by fingerprints', async () => {
  await using place = await openRotationPlace({ secrets: memorySecrets() });
  const { pair } = await providerStatus(place.secrets);
  assert.deepEqual([pair?.account, pair?.tokens.map(({ slot }) => slot)], [place.api.account, ['a', 'b']]);
  for (const [index, { fingerprint }] of (pair?.tokens ?? []).entries()) {
    assert.match(fingerprint, /^sha256:[0-9a-f]{16}$/);
    assert.notEqual(fingerprint, place.tokens[index]?.id);
  }
});

test('the status has keys of a run that did not end, which no document has, and not those that were ended', async () => {
  const secrets = memorySecrets();
  const log = await openStepLog(secrets, Date.now);
  await log.add({ generation: 3, step: 'planned', bucket: 'b', prefix: 'p' });
  await log.add({ generation: 3, step: 'minted', role: 'admin', ids: ['one'] });
  await log.add({ generation: 3, step: 'revoked', ids: ['one'] });
  await log.add({ generation: 3, step: 'resumed', bucket: 'b', prefix: 'p' });
  await log.add({ generation: 3, step: 'minted', role: 'admin', ids: ['two'] });
  const { generations, unfinished } = await providerStatus(secrets);
  const facts = { bucket: 'b', prefix: 'p', made_at: null, expires_at: null };
  assert.deepEqual(generations, [{ generation: 3, state: 'unfinished', ...facts, ids: ['two'] }]);
  assert.equal(unfinished, 3);
  await log.add({ generation: 3, step: 'failed' });
  assert.deepEqual((await providerStatus(secrets)).generations, []);
});
