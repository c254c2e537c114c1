import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Certificate } from '../../src/certify/certificate.ts';
import { webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { whyNo } from './directory-store.ts';
import { endToEndOn } from './end-to-end.ts';
import { minio } from './kinds.ts';
import { clients, type MinioIdentity, startMinioIdentity } from './minio-identity.ts';
import { openPlace } from './place.ts';
import type { Exchange } from './web-identity.ts';

describe('MinIO: keys in exchange for a token', { skip: whyNo(minio) ?? false }, () => {
  const secret = randomBytes(24).toString('hex');
  let world: MinioIdentity;
  before(async () => {
    // As a server is set up by somebody who found that the exchange needs no secret.
    world = await startMinioIdentity({ role: secret, claim: '' });
  });
  after(() => world?.[Symbol.asyncDispose]());

  for (const [way, name] of [
    ['role', 'with the policy of a role'],
    ['claim', 'with the policy that the token names, without a role'],
  ] as const) {
    test(`${name} the keys reach their prefix of their bucket, and nothing else`, async () => {
      using place = openPlace(world.store, world.buckets[way], { identity: await world.exchange(way) });
      await place.json('migrate');
      const other = await world.store.createBucket();
      const { stdout, stderr } = await place.run('storage', 'certify', '--family', 'reach', '--other-bucket', other, '--json');
      const { scope } = JSON.parse(stdout) as Certificate;
      assert.equal(scope?.verdict, 'proven', `${JSON.stringify(scope)} ${stderr}`);
    });
  }

  endToEndOn('on MinIO, with the policy that the token names', async () => ({
    store: world.store,
    bucket: world.buckets.claim,
    identity: await world.exchange('claim'),
  }));

  async function refused({ roleArn, stsEndpointUrl, tokenFile }: Exchange): Promise<string> {
    const settings = { roleArn, stsEndpointUrl, webIdentityTokenFile: tokenFile, region: 'us-east-1', sessionDurationSeconds: 900 };
    const error = await webIdentityCredentials(settings, { attempts: 1 })
      .keys()
      .then(() => assert.fail('it was taken'))
      .catch((thrown: unknown) => thrown);
    assert.ok(isArtifactstoreError(error, 'storage_unavailable'), String(error));
    return error.message;
  }

  test('what it refuses is named', async () => {
    const names = /400 InvalidParameterValue\) .*WEB_IDENTITY_TOKEN_FILE.*ROLE_ARN.*SESSION_DURATION_SECONDS/;
    assert.match(await refused(await world.exchange('role', await world.token('somebody-else'))), names);
    assert.match(await refused({ ...(await world.exchange('role')), roleArn: 'arn:aws:iam:::role/unknown' }), /InvalidParameterValue/);
    const ended = await world.exchange('role', await world.token(clients.role, {}, -60));
    assert.match(await refused(ended), /400 (ExpiredToken|InvalidParameterValue)\): the token ended at/);
    const withoutClaim = await world.exchange('claim', await world.token(clients.claim));
    assert.match(await refused(withoutClaim), /without a role: it may want one, or the token names no policy/);
    const unknown = await world.exchange('claim', await world.token(clients.claim, { policy: 'nobody-has-it' }));
    assert.match(await refused(unknown), /without a role/);
  });

  test('without the secret of a client anybody signs tokens of it, and with one whoever knows it: docs/sts.md warns', async () => {
    const { stsEndpointUrl, tokenFile } = await world.exchange('claim', world.forged(''));
    const settings = {
      roleArn: undefined,
      stsEndpointUrl,
      webIdentityTokenFile: tokenFile,
      region: 'us-east-1',
      sessionDurationSeconds: 900,
    };
    assert.ok((await webIdentityCredentials(settings, { attempts: 1 }).keys()).sessionToken);
    assert.match(await refused(await world.exchange('claim', world.forged('a guess'))), /InvalidParameterValue/);
  });
});
