import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, readGeneration } from '../../../src/provider/documents.ts';
import { planRotation } from '../../../src/provider/rotation/plan.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { withoutPatience } from '../without-patience.ts';
import { assertWhole } from './assert-whole.ts';
import { openRotationPlace } from './rotation-place.ts';

describe('a rotation', () => {
  test('makes, proves, keeps and flips, and ends the generation before', async () => {
    await using place = await openRotationPlace();
    const first = await place.rotate();
    assert.deepEqual([first.generation, first.previous, first.resumed], [1, null, false]);
    await assertWhole(place, 1);
    const second = await place.rotate();
    assert.deepEqual([second.generation, second.previous], [2, 1]);
    assert.deepEqual([...second.revoked].sort(), first.keys.map(({ id }) => id).sort());
    await assertWhole(place, 2);
    const { steps, generations } = await providerStatus(place.secrets);
    assert.deepEqual(
      steps.filter(({ generation }) => generation === 2).map(({ step }) => step),
      ['planned', 'minting', 'minted', 'minting', 'minted', 'proved', 'proved', 'persisted', 'flipped', 'draining', 'revoked', 'done'],
    );
    assert.deepEqual(
      generations.map(({ generation, state }) => [generation, state]),
      [
        [1, 'ended'],
        [2, 'current'],
      ],
    );
  });

  test('says what it would do, and does nothing', async () => {
    await using place = await openRotationPlace();
    const asked = place.request({ overlapMilliseconds: 60_000 });
    const first = await planRotation(asked);
    assert.deepEqual([first.generation, first.previous, first.resumes], [1, null, false]);
    await place.rotate();
    const { generation, previous, steps } = await planRotation(asked);
    await asked.provider.close();
    assert.deepEqual([generation, previous], [2, 1]);
    assert.match(steps.join('\n'), /wait 60 seconds\nend the keys of generation 1/);
    await assertWhole(place, 1);
  });

  test('writes no value down but in the documents of generations', async () => {
    await using place = await openRotationPlace();
    const report = await place.rotate();
    const stored = await place.secrets.get(documentNames.generation(1));
    const read = readGeneration(stored!.value, 1);
    assert.ok(read !== 'ended');
    const log = await place.secrets.get(documentNames.steps);
    const said = `${log!.value.reveal()}${JSON.stringify(report)}${JSON.stringify(await providerStatus(place.secrets))}${JSON.stringify(place.api.calls)}`;
    for (const { secretAccessKey } of Object.values(read.keys)) assert.equal(said.includes(secretAccessKey.reveal()), false);
    for (const { value } of place.tokens) assert.equal(said.includes(value), false);
  });

  test('ends what was minted when the proof fails, and says why', async () => {
    await using place = await openRotationPlace();
    await place.rotate();
    for (const [otherBucket, code] of [
      [undefined, 'credential_unproven'],
      ['artifacts', 'credential_too_wide'],
    ] as const) {
      await assert.rejects(place.rotate({ otherBucket }), (error) => isArtifactstoreError(error, code));
      await assertWhole(place, 1);
    }
    assert.equal((await place.rotate()).generation, 4);
    await assertWhole(place, 4);
  });

  test('says the id and how to end it, last, where even that fails', async () => {
    await using place = await openRotationPlace();
    place.api.strike(/^DELETE/, { answer: { status: 500, body: '{"success":false,"errors":[]}' } }, 9);
    await assert.rejects(place.rotate({ otherBucket: undefined }), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'));
      for (const id of place.api.minted()) {
        assert.match(error.message, new RegExp(`What was minted could not be ended either: .*${id}`));
        assert.match(String(error.info?.hint), new RegExp(`delete the token ${id} under`));
      }
      return true;
    });
    place.api.endStrikes();
    // The next one ends them first, and begins another.
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('finds and ends what a call made whose answer was lost', async () => {
    await using place = await openRotationPlace();
    place.api.strike(/^POST \/tokens$/, { lose: true });
    await assert.rejects(place.rotate(), (error) => isArtifactstoreError(error, 'provider_unavailable'));
    assert.deepEqual(place.api.minted(), []);
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('keeps a generation that may be the current one when the store does not answer the flip', async () => {
    await using place = await openRotationPlace();
    const { secrets } = place;
    let isLost = false;
    const losing: Secrets = {
      ...secrets,
      async get(name) {
        if (isLost && name === documentNames.current) throw new Error('gone');
        return await secrets.get(name);
      },
      writer: {
        ...secrets.writer!,
        async put(name, value, expected) {
          const version = await secrets.writer!.put(name, value, expected);
          if (name !== documentNames.current) return version;
          isLost = true;
          throw new Error('lost');
        },
      },
    };
    await assert.rejects(place.rotate({ secrets: losing }), /lost/);
    assert.equal(place.api.minted().length, 2);
    const { generation, resumed } = await place.rotate();
    assert.deepEqual([generation, resumed], [1, true]);
    await assertWhole(place, 1);
  });

  test('asks the store what is there when only the answer to the flip was lost', async () => {
    await using place = await openRotationPlace();
    await place.rotate();
    const { secrets } = place;
    const losing: Secrets = {
      ...secrets,
      writer: {
        ...secrets.writer!,
        async put(name, value, expected) {
          const version = await secrets.writer!.put(name, value, expected);
          if (name === documentNames.current) throw new Error('lost');
          return version;
        },
      },
    };
    const { generation, revoked } = await place.rotate({ secrets: losing });
    assert.deepEqual([generation, revoked.length], [2, 2]);
    await assertWhole(place, 2);
  });

  test('stops where another one took over, and ends only what it made itself', async () => {
    await using place = await openRotationPlace();
    let other: Awaited<ReturnType<typeof place.rotate>> | undefined;
    const slow = place.rotate({
      onStep: async ({ step, role }) => {
        if (step === 'minted' && role === 'admin') other = await place.rotate();
      },
    });
    await assert.rejects(slow, (error) => isArtifactstoreError(error, 'rotation_conflict'));
    assert.deepEqual([other?.generation, other?.resumed], [2, false]);
    await assertWhole(place, 2);
  });

  test('uses slot b where a is refused, and says so', async () => {
    await using place = await openRotationPlace();
    const token = place.api.token(place.tokens[0]!.id)!;
    token.status = 'disabled';
    const warnings: string[] = [];
    await place.rotate({ onWarning: (text) => void warnings.push(text) });
    assert.match(warnings[0] ?? '', /slot a of the pair was refused, slot b is used/);
    await assertWhole(place, 1);
  });

  test('waits for keys that spread slowly: 403 is asked again, 404 is an answer', async () => {
    await using place = await openRotationPlace({ propagationMilliseconds: 300 });
    await place.rotate();
    await assertWhole(place, 1);
    await using absent = await openRotationPlace({ buckets: [] });
    const before = performance.now();
    await assert.rejects(absent.rotate({ patience: withoutPatience(60_000) }), /There is no bucket artifacts/);
    assert.ok(performance.now() - before < 30_000);
    assert.deepEqual(absent.api.minted(), []);
  });

  test('keeps the old keys good for the overlap', async () => {
    await using place = await openRotationPlace();
    await place.rotate();
    let time = Date.now();
    const asked: number[] = [];
    const patience = {
      ...withoutPatience(),
      async wait(milliseconds: number) {
        asked.push(place.api.minted().length);
        time += milliseconds;
      },
    };
    await place.rotate({ overlapMilliseconds: 3000, patience, now: () => time });
    assert.deepEqual(asked, [4, 4, 4]);
    await assertWhole(place, 2);
  });
});
