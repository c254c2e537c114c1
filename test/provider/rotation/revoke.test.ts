import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames } from '../../../src/provider/documents.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { assertWhole } from './assert-whole.ts';
import { idsIn, killedBehind, stateOf, stepsOf, writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace } from './rotation-place.ts';

describe('a revocation', () => {
  test('ends a generation, refuses the current one, and may be done twice', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await assert.rejects(place.revoke(1), (error) => isArtifactstoreError(error, 'generation_in_use'));
    await assert.rejects(place.revoke(7), (error) => isArtifactstoreError(error, 'generation_not_found'));
    assert.equal((await place.revoke(1, { evenCurrent: true })).revoked.length, 2);
    assert.deepEqual((await place.revoke(1, { evenCurrent: true })).revoked, []);
    assert.deepEqual(place.api.minted(), []);
    assert.equal(await stateOf(place), 'current 1, unfinished null, 1 ended');
    await place.rotate();
    await assertWhole(place, 2);
    assert.equal((await stepsOf(place)).filter((step) => step === '1 revoked: by `provider revoke`').length, 2);
  });

  test('keeps the document of what could not be ended, and says the id, why and how', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await killedBehind(place, 'persisted');
    place.api.strike(/^DELETE/, { answer: { status: 500, body: '{"success":false,"errors":[]}' } }, 9);
    await assert.rejects(place.revoke(1), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.deepEqual(idsIn(error).sort(), [...place.api.minted()].sort());
      assert.match(error.message, /^Generation 1 could not be ended: .*refuses a call \(DELETE/);
      return true;
    });
    assert.equal(await stateOf(place), 'current null, unfinished 1, 1 kept');
    place.api.endStrikes();
    await place.revoke(1);
    assert.equal(await stateOf(place), 'current null, unfinished 1, 1 ended');
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('stops a rotation that is under way, at its next step', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const stopped = place.rotate({
      async onStep({ step }) {
        if (step === 'flipped') assert.equal((await place.revoke(1)).revoked.length, 2);
      },
    });
    await assert.rejects(stopped, (error) => isArtifactstoreError(error, 'rotation_conflict') && /or a revocation/.test(error.message));
    assert.equal((await place.rotate()).generation, 2);
    await assertWhole(place, 2);
  });

  test('is written down behind what another writes at the same time', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const note = async (): Promise<void> => await (await openStepLog(place.secrets, Date.now)).add({ generation: 1, step: 'draining' });
    const { secrets } = place;
    let others = 0;
    const busy = (most: number) => ({
      ...secrets,
      async get(name: string) {
        const found = await secrets.get(name);
        if (name === documentNames.steps && others < most) {
          others += 1;
          await note();
        }
        return found;
      },
    });
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    await place.revoke(1, { evenCurrent: true, secrets: busy(4), onWarning });
    assert.deepEqual(warnings, []);
    assert.deepEqual((await stepsOf(place)).slice(-2), ['1 draining', '1 revoked: by `provider revoke`']);
    await place.revoke(1, { evenCurrent: true, secrets: busy(99), onWarning });
    assert.equal(others, 9, 'five more times');
    assert.match(warnings[0] ?? '', /^the keys were ended, and provider\/provider_steps does not say so: Another rotation/);
  });

  test('ends leaked keys also where the log is no log', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await writeByHand(place, documentNames.steps, secretOf('{"format":1}'));
    const warnings: string[] = [];
    const { revoked } = await place.revoke(1, { evenCurrent: true, onWarning: (text) => void warnings.push(text) });
    assert.equal(revoked.length, 2);
    assert.deepEqual(place.api.minted(), []);
    assert.match(
      warnings.join('\n'),
      /^the keys were ended, and .* does not say so: The secret "provider\/provider_steps" is not a document/,
    );
  });

  test('repeats nothing of a fault of this software while it is written down', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const writer = place.secrets.writer!;
    const put: typeof writer.put = async (name, ...more) => {
      if (name === documentNames.steps) throw new TypeError('hush');
      return await writer.put(name, ...more);
    };
    const warnings: string[] = [];
    const onWarning = (text: string): void => void warnings.push(text);
    const secrets = { ...place.secrets, writer: { ...writer, put } };
    await assert.rejects(place.revoke(1, { evenCurrent: true, secrets, onWarning }), TypeError);
    assert.deepEqual([place.api.minted(), warnings], [[], []]);
  });

  test('says of a pair whose first token is refused that it used the second', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    place.api.token(place.tokens[0]!.id)!.status = 'disabled';
    const warnings: string[] = [];
    await place.revoke(1, { evenCurrent: true, onWarning: (text) => void warnings.push(text) });
    assert.match(warnings.join('\n'), /^slot a of the pair was refused, slot b is used/);
    assert.deepEqual(place.api.minted(), []);
  });
});
