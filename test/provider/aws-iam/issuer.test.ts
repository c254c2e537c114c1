import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { mustHold } from '../../../src/provider/must-hold.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { openIamPlace } from './iam-place.ts';
import { everyRight } from './strict-iam.ts';

const label = 'artifactstore-g1-0badcafe-proxy';

describe('keys of IAM', () => {
  test('are those of a user of their own, with one policy and one key', async () => {
    await using place = await openIamPlace();
    const expiresAtMilliseconds = Date.now() + 60_000;
    const made = await place.mint({ expiresAtMilliseconds });
    const user = place.iam.user(label);
    assert.deepEqual([made.id, made.expiresAtMilliseconds, user?.policies.size], [label, expiresAtMilliseconds, 1]);
    assert.deepEqual(user?.keys, [{ id: made.accessKeyId, secret: made.secretAccessKey.reveal() }]);
  });

  test('are waited for where the objects do not know them yet', async () => {
    await using place = await openIamPlace({ propagationMilliseconds: 200 });
    const { accessKeyId, secretAccessKey } = await place.mint();
    const keys = { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
    mustHold(await place.provider.prove(keys, { bucket: 'artifacts', prefix: '' }, { otherBucket: 'payroll' }), 'late');
  });

  for (const action of ['PutUserPolicy', 'CreateAccessKey'])
    test(`leave nothing where ${action} is refused, or its answer is lost`, async () => {
      await using place = await openIamPlace();
      const authority = secretOf(place.iam.addUser({ allow: everyRight.filter((right) => right !== action) }));
      const request = {
        label,
        role: 'proxy',
        scope: { bucket: 'artifacts', prefix: '' },
        expiresAtMilliseconds: Date.now() + 60_000,
      } as const;
      await assert.rejects(
        place.issuer.mint(authority, request),
        (error) => isArtifactstoreError(error, 'provider_forbidden') && error.message.includes(`iam:${action} on user/${label}`),
      );
      assert.deepEqual(place.iam.minted(), []);
      place.iam.strike(new RegExp(`^${action}`), { lose: true });
      await assert.rejects(place.mint(), (error) => isArtifactstoreError(error, 'provider_unavailable'));
      assert.deepEqual(place.iam.minted(), []);
    });

  test('are not made for a user that is there already, which stays as it is', async () => {
    await using place = await openIamPlace();
    const made = await place.mint();
    await assert.rejects(place.mint(), (error) => isArtifactstoreError(error, 'provider_refused') && error.info?.reason === 'conflict');
    assert.deepEqual(
      place.iam.user(label)?.keys.map(({ id }) => id),
      [made.accessKeyId],
    );
  });

  test('are not made beyond the limit of users, and can still be ended there', async () => {
    await using place = await openIamPlace({ mostUsers: 2 });
    const { id } = await place.mint();
    await assert.rejects(
      place.mint({ label: 'artifactstore-g2-0badcafe-proxy' }),
      (error) => isArtifactstoreError(error, 'provider_refused') && error.info?.reason === 'limit' && /LimitExceeded/.test(error.message),
    );
    await place.provider.verify(place.authority, 'artifacts');
    assert.equal(await place.issuer.revoke(place.authority, id), 'revoked');
  });

  test('are not rolled where the user has two keys: the error names both', async () => {
    await using place = await openIamPlace();
    const { id } = await place.mint();
    const keys = place.iam.user(id)!.keys;
    keys.push({ id: 'AKIASECONDSECONDSECO', secret: 'hush' });
    const ids = keys.map((key) => key.id);
    await assert.rejects(place.issuer.roll!(place.authority, id), (error) => {
      assert.ok(isArtifactstoreError(error, 'provider_refused'));
      assert.deepEqual(error.info?.ids, ids);
      return ids.every((key) => error.message.includes(key));
    });
    assert.equal(keys.length, 2);
    await assert.rejects(
      place.issuer.roll!(place.authority, 'artifactstore-g9-nobody'),
      (error) => isArtifactstoreError(error, 'authority_unusable') && error.info?.fault === 'unknown',
    );
  });

  test('that were rolled for nobody are ended again', async () => {
    await using place = await openIamPlace();
    const { id, accessKeyId } = await place.mint();
    place.iam.strike(/^DeleteAccessKey/, { answer: { status: 500, body: '' } });
    await assert.rejects(place.issuer.roll!(place.authority, id));
    assert.deepEqual(
      place.iam.user(id)?.keys.map((key) => key.id),
      [accessKeyId],
    );
  });

  test('are found among more users than one answer has', async () => {
    await using place = await openIamPlace();
    const labels = Array.from({ length: 8 }, (_, index) => `artifactstore-g7-0badcafe-${index}`);
    for (const each of labels) await place.mint({ label: each });
    assert.deepEqual(await place.issuer.find(place.authority, 'artifactstore-g7-'), labels);
  });

  test('are ended first, also where the user cannot be', async () => {
    await using place = await openIamPlace();
    const { id } = await place.mint();
    (place.iam.user(id)!.groups as string[]).push('somebody else');
    await assert.rejects(place.issuer.revoke(place.authority, id), (error) => {
      return isArtifactstoreError(error, 'provider_refused') && /keys of the user .* are ended/.test(error.message);
    });
    assert.deepEqual(place.iam.user(id)?.keys, []);
    assert.match(place.issuer.howToRevoke(id), /aws iam delete-access-key --user-name artifactstore-g1-0badcafe-proxy/);
  });

  test('are ended where a run was killed between its calls', async () => {
    await using place = await openIamPlace();
    await place.mint();
    const user = place.iam.user(label)!;
    user.keys.splice(0);
    user.policies.clear();
    assert.equal(await place.issuer.revoke(place.authority, label), 'revoked');
    assert.equal(await place.issuer.revoke(place.authority, label), 'absent');
  });
});
