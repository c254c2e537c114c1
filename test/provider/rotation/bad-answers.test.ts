import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { providerStatus } from '../../../src/provider/rotation/status.ts';
import { openRotationPlace } from './rotation-place.ts';

describe('a rotation that gets no answer', () => {
  test('keeps nothing, says at which step, and leaves the generation before as it was', async () => {
    await using place = await openRotationPlace();
    const keys = (await place.rotate()).keys.map(({ id }) => id);
    for (const [status, body, told] of [
      [200, '<html>Sign in</html>', /answers 200 to POST \/tokens with something that is not the API's JSON/],
      [200, '{"success":false,"errors":[{"code":1,"message":"m"}]}', /refuses a call \(POST \/tokens\): 200, code 1, success: false/],
      [429, '{}', /limits how often it is asked \(429\), and wants 120 seconds: POST .*\/tokens\./],
      [403, '{"success":false,"errors":[{"code":10000,"message":"m"}]}', /needs Account API Tokens Write on account/],
    ] as const) {
      place.api.strike(/^POST \/tokens$/, { answer: { status, body, headers: { 'retry-after': '120' } } }, 9);
      await assert.rejects(place.rotate(), (error) => {
        assert.ok(isArtifactstoreError(error), String(error));
        assert.match(error.message, told);
        assert.notEqual(String(error.info?.hint ?? ''), '');
        return true;
      });
      place.api.endStrikes();
      assert.deepEqual([...place.api.minted()].sort(), [...keys].sort(), 'what was minted was ended');
      assert.equal((await providerStatus(place.secrets)).current, 1);
    }
  });
});
