import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Certificate } from '../../src/certify/certificate.ts';
import { conformanceOn } from './conformance.ts';
import { endToEndOn } from './end-to-end.ts';
import { ownEndpoint } from './own-endpoint.ts';
import { openPlace } from './place.ts';
import { credentialsOf, settingsOf } from './settings-of.ts';

const variables = process.env.ARTIFACTSTORE_TEST_ENDPOINT_ENV;

describe('an endpoint of your own', { skip: variables === undefined && 'npm run test:stores -- --endpoint-env PREFIX names one' }, () => {
  if (variables === undefined) return;
  const { store, bucket, prefix, otherBucket, environment, clear } = ownEndpoint(variables);
  after(async () => void (await clear()));

  conformanceOn('your endpoint', () => settingsOf(store, bucket, { credentials: credentialsOf(store.keys), keyPrefix: prefix }));

  endToEndOn('on your endpoint', async () => ({ store, bucket, environment, prefix: `${prefix}/registry` }));

  test('its certificate: fit for a registry', async (context) => {
    const place = openPlace(store, bucket, { environment: { ...environment, ARTIFACTSTORE_S3_KEY_PREFIX: `${prefix}/certified` } });
    try {
      const more = otherBucket === undefined ? [] : ['--other-bucket', otherBucket];
      const { code, stdout, stderr } = await place.run('storage', 'certify', '--json', ...more);
      assert.ok(stdout.startsWith('{'), stderr);
      const { grade, uses, scope, leftovers } = JSON.parse(stdout) as Certificate;
      context.diagnostic(`grade ${grade}; ${uses.map(({ use, verdict }) => `${use}: ${verdict}`).join(', ')}; keys: ${scope?.verdict}`);
      assert.equal(code, 0, JSON.stringify(uses, null, 2));
      assert.deepEqual(leftovers, []);
    } finally {
      place[Symbol.dispose]();
    }
  });

  test('nothing is left below the prefix of the tests', async (context) => {
    const deleted = await clear();
    context.diagnostic(`${deleted} objects were left, and are deleted`);
    assert.equal(await clear(), 0);
  });
});
