import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownEndpoint } from './own-endpoint.ts';

const given = {
  MY_STORE_ENDPOINT_URL: 'https://rgw.example.org',
  MY_STORE_BUCKET: 'artifacts',
  MY_STORE_ACCESS_KEY: 'an-access-key',
  MY_STORE_SECRET_KEY: 'a-secret-key',
};

test('an endpoint of somebody is read from variables, and nothing of it is used outside of a prefix of its own', () => {
  const first = ownEndpoint('MY_STORE', { ...given, MY_STORE_KEY_PREFIX: '/mine/', MY_STORE_SESSION_TOKEN: 'a-token' });
  assert.deepEqual([first.store.url, first.store.region, first.bucket], ['https://rgw.example.org', 'us-east-1', 'artifacts']);
  assert.match(first.prefix, /^mine\/artifactstore-test-[0-9a-f-]{36}$/);
  assert.notEqual(first.prefix, ownEndpoint('MY_STORE', given).prefix);
  assert.equal(first.environment.ARTIFACTSTORE_S3_SESSION_TOKEN_REF, 'env:STORE_SESSION_TOKEN');
  assert.deepEqual(ownEndpoint('MY_STORE', given).environment, {});
});

test('variables that are missing are named all at once, without a value', () => {
  assert.throws(
    () => ownEndpoint('MY_STORE', { MY_STORE_BUCKET: 'artifacts', MY_STORE_ACCESS_KEY: 'an-access-key' }),
    /^Error: not set: MY_STORE_ENDPOINT_URL, MY_STORE_SECRET_KEY; docs\/stores.md says what each is$/,
  );
});
