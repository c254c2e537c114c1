import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCredentials } from '../../src/credentials/open.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';

const about = { region: 'us-east-1', variables: 'ARTIFACTSTORE_S3_COLD_' };

test('keys by reference, from the environment that is given', async () => {
  const config = { kind: 'static', accessKeyRef: 'env:ACCESS', secretKeyRef: 'env:SECRET', sessionTokenRef: undefined } as const;
  const credentials = openCredentials(config, { ...about, environment: { ACCESS: 'a', SECRET: 's' } });
  assert.deepEqual({ ...(await credentials.keys()) }, { accessKeyId: 'a', secretAccessKey: 's' });
});

test('what cannot be had names the settings of the backend that wants it', async () => {
  const config = { kind: 'static', accessKeyRef: 'env:ACCESS', secretKeyRef: 'env:SECRET', sessionTokenRef: undefined } as const;
  await assert.rejects(openCredentials(config, { ...about, environment: {} }).keys(), /ARTIFACTSTORE_S3_COLD_ACCESS_KEY_REF/);
  const role = {
    kind: 'web-identity',
    stsEndpointUrl: 'http://127.0.0.1:1',
    roleArn: 'arn:aws:iam:::role/r',
    webIdentityTokenFile: '/nowhere/token',
    sessionDurationSeconds: 3600,
  } as const;
  await assert.rejects(
    openCredentials(role, { ...about, environment: {} }).keys(),
    (error: unknown) => isArtifactstoreError(error) && error.field === 'ARTIFACTSTORE_S3_COLD_WEB_IDENTITY_TOKEN_FILE',
  );
});
