import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { providerConformance } from '../../../src/provider/conformance.ts';
import { signingKeys } from '../../../src/provider/documents.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { ceph20, whyNoCeph20 } from '../../stores/ceph-root.ts';
import { type Rgw, startRgw, whyNoRgw } from '../../stores/rgw.ts';
import type { StoreKeys } from '../../stores/store.ts';
import { providerAt } from '../opened.ts';
import { serversFollow } from '../rotation/follow-servers.ts';
import { rotateByCommand } from '../rotation/rotate-by-command.ts';
import { type CephAccount, createAccount } from './ceph-account.ts';

const textOf = ({ accessKeyId, secretAccessKey }: StoreKeys): string => `${accessKeyId}:${secretAccessKey}`;

describe('IAM of a Ceph gateway with accounts', { skip: whyNoCeph20() ?? false }, () => {
  let rgw: Rgw;
  let account: CephAccount;
  before(async () => {
    rgw = await startRgw({ root: ceph20 });
    account = await createAccount(rgw);
  });
  after(() => rgw?.[Symbol.asyncDispose]());

  for (const [name, keys] of [
    ["an account's own keys", async () => account.root],
    ['keys of a user', () => account.authority()],
  ] as const)
    providerConformance(`aws-iam, ${name}`, async () => {
      const provider = providerAt('aws-iam', account.id, rgw.url, rgw.url);
      const { bucket, otherBucket } = account;
      const authority = secretOf(textOf(await keys()));
      return { provider, authority, bucket, otherBucket, [Symbol.asyncDispose]: () => provider.close() };
    });

  test('names the right that is missing: at once, or at the first minting', async () => {
    const provider = providerAt('aws-iam', account.id, rgw.url, rgw.url);
    const scope = { bucket: account.bucket, prefix: '' };
    const expiresAtMilliseconds = Date.now() + 3_600_000;
    const request = { label: 'artifactstore-g1-right-proxy', role: 'proxy', scope, expiresAtMilliseconds } as const;
    for (const right of [
      'ListUsers',
      'CreateUser',
      'ListAccessKeys',
      'DeleteAccessKey',
      'DeleteUserPolicy',
      'PutUserPolicy',
      'CreateAccessKey',
    ]) {
      const authority = secretOf(textOf(await account.authority([`iam:${right}`])));
      const ask = async (): Promise<void> => {
        await provider.verify(authority, account.bucket);
        await provider.issuer!.mint(authority, request);
      };
      await assert.rejects(ask(), (error) => {
        assert.ok(isArtifactstoreError(error, 'provider_forbidden'), `${right}: ${error}`);
        assert.match(error.message, new RegExp(`needs iam:${right} on`));
        return true;
      });
    }
    assert.deepEqual(await provider.issuer!.find(secretOf(textOf(account.root)), 'artifactstore-g1-right'), []);
    const blind = secretOf(textOf(await account.authority(['s3:ListBucket'])));
    await assert.rejects(provider.verify(blind, account.bucket), (error) => {
      return isArtifactstoreError(error, 'provider_forbidden') && /needs s3:ListBucket/.test(error.message);
    });
    await provider.close();
  });

  test('says of a user without an account that it has none', async () => {
    const provider = providerAt('aws-iam', account.id, rgw.url, rgw.url);
    await assert.rejects(provider.verify(secretOf(textOf(rgw.user.keys)), undefined), (error) => {
      return isArtifactstoreError(error, 'authority_unusable') && /belongs to no account/.test(error.message);
    });
    await provider.close();
  });

  test('has keys that end by themselves', async () => {
    const provider = providerAt('aws-iam', account.id, rgw.url, rgw.url);
    const authority = secretOf(textOf(account.root));
    const scope = { bucket: account.bucket, prefix: '' };
    // A busy machine proves slowly: what is proved at their end is proved again of keys that live longer.
    for (const lifeMilliseconds of [6000, 30_000, 150_000]) {
      const label = `artifactstore-g2-end-${lifeMilliseconds}-proxy`;
      const expiresAtMilliseconds = Date.now() + lifeMilliseconds;
      const made = await provider.issuer!.mint(authority, { label, role: 'proxy', scope, expiresAtMilliseconds });
      const first = async () => (await provider.prove(signingKeys(made), scope, { otherBucket: account.otherBucket })).checks[0];
      const before = await first();
      const isInTime = Date.now() < expiresAtMilliseconds - 1000;
      if (isInTime) {
        assert.partialDeepStrictEqual(before, { what: 'write', result: 'holds' });
        await sleep(expiresAtMilliseconds + 1000 - Date.now());
        assert.partialDeepStrictEqual(await first(), { what: 'write', result: 'fails', told: '403 AccessDenied' });
      }
      assert.equal(await provider.issuer!.revoke(authority, label), 'revoked');
      if (isInTime) return await provider.close();
    }
    assert.fail('nothing was proved while the keys lived');
  });

  serversFollow('a Ceph gateway, with keys of IAM for a prefix', async () => {
    const authorities = [await account.authority(), await account.authority()] as const;
    const { id, bucket, otherBucket } = account;
    return {
      store: rgw,
      bucket,
      prepare: (place, secretsPath) =>
        rotateByCommand(place, secretsPath, {
          ...{ provider: 'aws-iam', account: id, url: rgw.url, bucket, otherBucket, authorities, prefix: 'registry/of-tests' },
        }),
      [Symbol.asyncDispose]: async () => undefined,
    };
  });
});

describe('IAM of a Ceph gateway without accounts', { skip: whyNoRgw() ?? false }, () => {
  test('is told from one that has them', async () => {
    await using rgw = await startRgw();
    if (!rgw.version.startsWith('16.') && !rgw.version.startsWith('18.')) return;
    const provider = providerAt('aws-iam', 'RGW00000000000000001', rgw.url, rgw.url);
    await assert.rejects(provider.verify(secretOf(textOf(rgw.user.keys)), undefined), (error) => {
      return isArtifactstoreError(error, 'authority_unusable') && /older than Ceph 19/.test(error.message);
    });
    await provider.close();
  });
});
