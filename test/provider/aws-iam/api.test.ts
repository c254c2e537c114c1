import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type IamPlace, openIamPlace } from './iam-place.ts';

const errorOf = (code: string, message = 'x'): string =>
  `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>${code}</Code>` +
  `<Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;

describe('the Query API of IAM', () => {
  let place: IamPlace;
  before(async () => {
    place = await openIamPlace();
  });
  afterEach(() => place.iam.endStrikes());
  after(() => place[Symbol.asyncDispose]());

  const unavailable = async (status: number, body: string, said: RegExp): Promise<void> => {
    place.iam.strike(/^ListUsers/, { answer: { status, body } });
    await assert.rejects(place.issuer.find(place.authority, 'artifactstore-'), (error) => {
      assert.ok(isArtifactstoreError(error, 'provider_unavailable'), String(error));
      return said.test(error.message);
    });
  };

  test('is waited for while it is busy, and not for ever', async () => {
    for (const [code, status] of [
      ['Throttling', 400],
      ['ConcurrentModification', 409],
      ['EntityTemporarilyUnmodifiable', 409],
    ] as const) {
      const before = place.waited();
      place.iam.strike(/^ListUsers/, { answer: { status, body: errorOf(code) } }, 2);
      assert.deepEqual(await place.issuer.find(place.authority, 'artifactstore-g'), []);
      assert.equal(place.waited() - before, 1500, code);
    }
    const before = place.waited();
    place.iam.strike(/^ListUsers/, { answer: { status: 400, body: errorOf('Throttling') } }, 99);
    await assert.rejects(place.issuer.find(place.authority, 'x'), (error) => {
      return isArtifactstoreError(error, 'provider_unavailable') && /is busy \(400 Throttling\)/.test(error.message);
    });
    assert.equal(place.waited() - before, 3500);
  });

  test('is not taken for a page, another API, or an error of its own', async () => {
    await unavailable(200, '<html><body>Sign in</body></html>', /not IAM's XML/);
    await unavailable(200, '{"ok": true}', /not IAM's XML/);
    await unavailable(502, 'Bad gateway', /answers 502 with something that is not IAM's XML/);
    await unavailable(500, '', /answers 500/);
    await unavailable(404, errorOf('MalformedQueryString'), /refuses ListUsers: 404 MalformedQueryString/);
    await unavailable(500, errorOf('ServiceFailure'), /refuses ListUsers: 500 ServiceFailure/);
    await unavailable(403, errorOf('a b'), /not IAM's XML/);
  });

  test('says of a list that is cut, or has something without a name, that it is none', async () => {
    const list = (inner: string): string => `<ListUsersResponse><ListUsersResult>${inner}</ListUsersResult></ListUsersResponse>`;
    await unavailable(200, list('<Users></Users><IsTruncated>true</IsTruncated>'), /not where it continues/);
    await unavailable(200, list('<Users><member><Path>/</Path></member></Users><IsTruncated>false</IsTruncated>'), /without its name/);
  });

  test("tells a wrong clock, and repeats nothing of a provider's message", async () => {
    const body = errorOf('SignatureDoesNotMatch', 'Signature expired: 20200101T000000Z is now earlier than hushhush');
    place.iam.strike(/^ListUsers/, { answer: { status: 403, body } });
    await assert.rejects(place.issuer.find(place.authority, 'x'), (error) => {
      assert.ok(isArtifactstoreError(error, 'provider_unavailable'));
      return /this machine's time is wrong \(403 SignatureDoesNotMatch\)/.test(error.message) && !error.message.includes('hushhush');
    });
  });
});
