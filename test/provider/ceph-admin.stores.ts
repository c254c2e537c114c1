import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { providerConformance } from '../../src/provider/conformance.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { type Rgw, startRgw, whyNoRgw } from '../stores/rgw.ts';
import type { StoreKeys } from '../stores/store.ts';
import { providerAt } from './opened.ts';

const missing = whyNoRgw();

describe('a Ceph gateway', { skip: missing ?? false }, () => {
  let rgw: Rgw;
  let authority: string;
  before(async () => {
    rgw = await startRgw();
    authority = pairOf((await rgw.createUser('users=*;buckets=read')).keys);
  });
  after(() => rgw[Symbol.asyncDispose]());

  providerConformance('ceph-admin', async () => {
    const [owner, other] = await Promise.all([rgw.createUser(), rgw.createUser()]);
    const [bucket, otherBucket] = await Promise.all([rgw.createBucket(owner.keys), rgw.createBucket(other.keys)]);
    const provider = providerAt('ceph-admin', owner.id, rgw.url, rgw.url);
    return { provider, authority: secretOf(authority), bucket, otherBucket, [Symbol.asyncDispose]: () => provider.close() };
  });

  test('names the capability that is missing', async () => {
    const owner = await rgw.createUser();
    const bucket = await rgw.createBucket(owner.keys);
    const provider = providerAt('ceph-admin', owner.id, rgw.url, rgw.url);
    for (const [capabilities, said] of [
      [undefined, /users=\*/],
      ['users=read', /may not be changed.*users=\*/],
      ['users=*', /buckets=read/],
    ] as const) {
      const { keys } = await rgw.createUser(capabilities);
      await assert.rejects(provider.verify(secretOf(pairOf(keys)), bucket), (error) => {
        assert.ok(isArtifactstoreError(error, 'provider_forbidden'), String(error));
        return said.test(error.message);
      });
    }
    await provider.close();
  });

  test('refuses a user that does not own the bucket, or is not there', async () => {
    const [one, other] = await Promise.all([rgw.createUser(), rgw.createUser()]);
    const bucket = await rgw.createBucket(other.keys);
    for (const account of [one.id, 'nobody-there']) {
      const provider = providerAt('ceph-admin', account, rgw.url, rgw.url);
      await assert.rejects(
        provider.verify(secretOf(authority), bucket),
        (error) => isArtifactstoreError(error, 'authority_unusable') && error.info?.fault === 'other_account',
      );
      await provider.close();
    }
  });
});

function pairOf({ accessKeyId, secretAccessKey }: StoreKeys): string {
  return `${accessKeyId}:${secretAccessKey}`;
}
