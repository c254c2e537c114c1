import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { chooseAuthority, loadPair } from '../../../src/provider/rotation/authority.ts';
import { withoutPatience } from '../without-patience.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace, type RotationPlace } from './rotation-place.ts';

async function choose(place: RotationPlace, mostMilliseconds = 0): ReturnType<typeof chooseAuthority> {
  const provider = place.provider();
  try {
    return await chooseAuthority(await loadPair(place.secrets), provider, 'artifacts', withoutPatience(mostMilliseconds));
  } finally {
    await provider.close();
  }
}

const refusing = { answer: { status: 403, body: '{"success":false,"errors":[{"code":10000,"message":"m"}]}' } };

describe('the authority of a rotation', () => {
  test('is missing where no pair was imported, with what to run', async () => {
    await assert.rejects(loadPair(memorySecrets()), (error) => {
      assert.ok(isArtifactstoreError(error, 'authority_missing'));
      return /import-admin-pair/.test(String(error.info?.hint));
    });
  });

  test('is slot b where a is refused, and the error of a where both are', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    assert.deepEqual([(await choose(place)).slot, (await choose(place)).warning], ['a', undefined]);
    place.api.strike(/^GET \/tokens\/verify$/, refusing);
    const { slot, warning } = await choose(place);
    assert.equal(slot, 'b');
    assert.match(warning ?? '', /^slot a of the pair was refused, slot b is used: .*403.* Import another pair\.$/);
    place.api.token(place.tokens[0]!.id)!.status = 'disabled';
    assert.match((await choose(place)).warning ?? '', /slot b is used: .*does not know the token/);
    place.api.token(place.tokens[1]!.id)!.status = 'expired';
    await assert.rejects(choose(place), (error) => isArtifactstoreError(error) && error.info?.fault === 'unknown');
  });

  test('is not the other slot where nobody knows what the provider would say', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const before = place.api.calls.length;
    place.api.strike(/^GET \/tokens\/verify$/, { answer: { status: 500, body: '{"success":false,"errors":[]}' } });
    await assert.rejects(choose(place), (error) => isArtifactstoreError(error, 'provider_unavailable'));
    assert.equal(place.api.calls.length, before + 1);
  });

  test('is asked for again while it may not be known yet', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    place.api.strike(/^GET \/tokens\/verify$/, refusing);
    assert.equal((await choose(place, 5000)).slot, 'a');
  });
});
