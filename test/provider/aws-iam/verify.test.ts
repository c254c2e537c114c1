import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { providerAt } from '../opened.ts';
import { type IamPlace, openIamPlace } from './iam-place.ts';
import { everyRight } from './strict-iam.ts';

describe('an authority of IAM', () => {
  let place: IamPlace;
  before(async () => {
    place = await openIamPlace();
  });
  after(() => place[Symbol.asyncDispose]());

  const refusal = async (value: string, bucket?: string, account = place.iam.account) => {
    const provider = providerAt('aws-iam', account, place.iam.url, place.store.url);
    const error = await provider.verify(secretOf(value), bucket).then(
      () => assert.fail('it was taken'),
      (thrown: unknown) => thrown,
    );
    await provider.close();
    assert.equal(inspect(error, { depth: 9 }).includes(value.split(':')[1] ?? value), false);
    assert.ok(isArtifactstoreError(error), inspect(error));
    return error;
  };

  test('is asked for every right, and nothing is changed', async () => {
    const { iam, provider, authority } = place;
    const { granted, bucketIsThere } = await provider.verify(authority, 'artifacts');
    assert.deepEqual(
      [...granted].sort(),
      [...everyRight.filter((right) => right !== 'GetUser').map((right) => `iam:${right}`), 's3:ListBucket'].sort(),
    );
    assert.equal(bucketIsThere, true);
    assert.deepEqual(iam.minted(), []);
    const own = iam.user('artifactstore-authority-a');
    assert.deepEqual([own?.keys.length, own?.policies.size], [1, 0]);
    assert.equal((await provider.verify(authority, 'not-there')).bucketIsThere, false);
  });

  test('may be the account itself, which has no name', async () => {
    const { subject, granted } = await place.provider.verify(secretOf(place.iam.addUser({ root: true })), undefined);
    assert.deepEqual([subject, granted], [place.iam.account, ['iam:ListUsers']]);
  });

  for (const right of everyRight)
    test(`is refused without iam:${right}, by its name`, async () => {
      const value = place.iam.addUser({ allow: everyRight.filter((each) => each !== right) });
      const error = await refusal(value);
      assert.equal(error.code, 'provider_forbidden');
      assert.match(error.message, new RegExp(`\\(403 AccessDenied\\): needs iam:${right} on `));
      assert.deepEqual(place.iam.minted(), []);
    });

  test('is refused where its policy does not cover itself', async () => {
    const error = await refusal(place.iam.addUser({ name: 'somebody' }));
    assert.match(`${error.code} ${error.message}`, /provider_forbidden .*needs iam:GetUser/);
  });

  test("is refused where it does not see the bucket, or that is not the account's", async () => {
    const unseen = await refusal(place.iam.addUser({ seesBuckets: false }), 'artifacts');
    assert.match(`${unseen.code} ${unseen.message}`, /provider_forbidden .*needs s3:ListBucket on artifacts/);
    const theirs = await refusal(place.iam.addUser(), 'theirs');
    assert.match(`${theirs.code} ${theirs.message}`, /provider_forbidden .*must belong to account 123456789012/);
  });

  test('is none where the keys are unknown, wrong, of another account, or no keys', async () => {
    const [id] = place.iam.addUser().split(':');
    for (const [value, account, fault] of [
      ['AKIANOBODYKNOWSTHIS:hushhushhushhush', undefined, 'unknown'],
      [`${id}:hushhushhushhush`, undefined, 'unknown'],
      [place.iam.addUser(), '999999999999', 'other_account'],
      ['hushhushhushhush', undefined, 'malformed'],
    ] as const) {
      const error = await refusal(value, undefined, account);
      assert.deepEqual([error.code, error.info?.fault], ['authority_unusable', fault]);
    }
    assert.throws(
      () => providerAt('aws-iam', 'by hand', undefined, place.store.url),
      (error) => isArtifactstoreError(error, 'authority_unusable') && error.info?.fault === 'malformed',
    );
  });

  test('is not known to see a bucket where the objects do not answer, whose setting is named', async () => {
    const provider = providerAt('aws-iam', place.iam.account, place.iam.url, 'http://127.0.0.1:1');
    await assert.rejects(provider.verify(secretOf(place.iam.addUser()), 'artifacts'), (error) => {
      assert.ok(isArtifactstoreError(error, 'provider_unavailable'), inspect(error));
      assert.match(`${error.message} ${error.info?.hint}`, /^The object store at .* look at --endpoint,/);
      return true;
    });
    await provider.close();
  });

  test('is of no account where the gateway says that it has none', async () => {
    const body = '<?xml version="1.0"?><Error><Code>MethodNotAllowed</Code><RequestId>tx0</RequestId></Error>';
    place.iam.strike(/^GetUser/, { answer: { status: 405, body } });
    const error = await refusal(place.iam.addUser());
    assert.match(`${error.code} ${error.message}`, /authority_unusable .*belongs to no account, or the gateway is older than Ceph 19/);
  });
});
