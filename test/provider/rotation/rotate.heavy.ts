import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentNames, readGeneration } from '../../../src/provider/documents.ts';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { assertWhole } from './assert-whole.ts';
import { openIamRotationPlace } from './iam-rotation-place.ts';
import { killerAfter } from './killed.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace } from './rotation-place.ts';

for (const [kind, open] of [
  ['cloudflare-r2', openRotationPlace],
  ['aws-iam', openIamRotationPlace],
] as const)
  test(`a rotation is finished by the next run, wherever it was killed (${kind})`, async () => {
    await using place = await open({ secrets: memorySecrets() });
    await place.rotate();
    let generation = 1;
    for (let count = 1; ; count += 1) {
      const { promise: killed, resolve } = Promise.withResolvers<'killed'>();
      const killer = killerAfter(count, () => {
        resolve('killed');
        return new Promise<never>(() => undefined);
      });
      const asked = place.request();
      const run = rotate({ ...asked, provider: killer.provider(asked.provider), secrets: killer.secrets(place.secrets) });
      const ended = await Promise.race([killed, run.then(() => 'done' as const)]);
      const before = await providerStatus(place.secrets);
      // Whatever the moment, whoever reads the pointer gets whole and good keys.
      const stored = await place.secrets.get(documentNames.generation(before.current ?? 0));
      const current = readGeneration(stored!.value, before.current ?? 0);
      assert.ok(
        current !== 'ended' && Object.values(current.keys).every(({ id }) => place.api.minted().includes(id)),
        `killed after ${count}`,
      );
      const isOver = before.unfinished === null;
      const { generation: made } = await place.rotate();
      // What was minted and is kept nowhere is ended, and another generation made.
      const next = isOver ? [(before.current ?? 0) + 1] : [before.unfinished, (before.unfinished ?? 0) + 1];
      assert.ok(next.includes(made), `killed after ${count}`);
      await assertWhole(place, made);
      assert.ok(made > generation);
      generation = made;
      if (ended === 'done') {
        assert.ok(count > 15, `only ${count} steps`);
        break;
      }
    }
  });
