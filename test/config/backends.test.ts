import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { LocalBackendConfig } from '../../src/storage/local/kind.ts';
import { isS3 } from '../../src/storage/s3/config.ts';
import { directory, type Environment, folder, problems, read } from './read-in-folder.ts';

describe('configuration of backends', () => {
  test('reads routes, and refuses those to nowhere', () => {
    assert.deepEqual(read({ ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'ci:main:raw-evidence=local, *:*=local' }).routes, [
      { producer: 'ci:main', retentionClass: 'raw-evidence', backendId: 'local' },
      { producer: '*', retentionClass: '*', backendId: 'local' },
    ]);
    assert.match(problems({ ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'ci:raw=nowhere' }).message, /nowhere/);
    assert.match(problems({ ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'ci=local' }).message, /does not look like/);
  });

  test('reads a bucket with keys by reference', () => {
    const config = read(
      {
        ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3',
        ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
        ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://rgw.example.org/',
        ARTIFACTSTORE_S3_BUCKET: 'evidence',
        ARTIFACTSTORE_S3_KEY_PREFIX: '/registry/one/',
        ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:MY_ACCESS_KEY',
        ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:MY_SECRET_KEY',
        MY_ACCESS_KEY: 'access',
      },
      folder({ '.env': 'MY_SECRET_KEY=hidden' }),
    );
    assert.equal(config.defaultBackend, 's3');
    const [local, s3] = config.backends;
    assert.equal(local?.kind, 'local');
    assert.ok(s3 !== undefined && isS3(s3));
    assert.equal(s3.endpointUrl, 'https://rgw.example.org');
    assert.equal(s3.keyPrefix, 'registry/one');
    assert.equal(s3.multipartChunkBytes, 8_388_608);
    assert.deepEqual(s3.credentials, {
      kind: 'static',
      accessKeyRef: 'env:MY_ACCESS_KEY',
      secretKeyRef: 'env:MY_SECRET_KEY',
      sessionTokenRef: undefined,
    });
    assert.deepEqual(config.referenced, { MY_ACCESS_KEY: 'access', MY_SECRET_KEY: 'hidden' });
    assert.ok(!JSON.stringify(config.describe()).includes('hidden'));
  });

  test('sends no secret of the environment to an address of .env', () => {
    const bucket = { ARTIFACTSTORE_STORAGE_BACKENDS: 's3', ARTIFACTSTORE_S3_BUCKET: 'evidence' };
    const keys = { ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:AWS_ACCESS_KEY_ID', ARTIFACTSTORE_S3_SECRET_KEY_REF: 'file:/run/secret' };
    const role = {
      ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity',
      ARTIFACTSTORE_S3_ROLE_ARN: 'arn:aws:iam:::role/r',
      ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE: '/run/token',
    };
    const value = { AWS_ACCESS_KEY_ID: 'mine' };
    const endpoint = { ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://elsewhere.example' };
    const sts = { ARTIFACTSTORE_S3_STS_ENDPOINT_URL: 'https://elsewhere.example' };
    const asFile = (values: Environment): string =>
      folder({
        '.env': Object.entries(values)
          .map(([name, text]) => `${name}=${text}`)
          .join('\n'),
      });
    for (const [ours, theirs, refused] of [
      [value, { ...bucket, ...keys, ...endpoint }, ['ENDPOINT_URL: is no address for AWS_ACCESS_KEY_ID, which .*ACCESS_KEY_REF names,']],
      [{ ...bucket, ...keys, ...value }, endpoint, ['AWS_ACCESS_KEY_ID', 'ENDPOINT_URL: is no address for .*S3_SECRET_KEY_REF of the']],
      [{ ...bucket, ...role }, sts, ['STS_ENDPOINT_URL: is no address for .*WEB_IDENTITY_TOKEN_FILE']],
      [{ ...bucket, ...role }, endpoint, ['S3_ENDPOINT_URL: is no address for .*WEB_IDENTITY_TOKEN_FILE']],
    ] as const) {
      const { message } = problems(ours, asFile(theirs));
      for (const each of refused) assert.match(message, new RegExp(each));
      assert.match(message, /set it in the environment too \(in \.env\)/);
      assert.ok(!message.includes('mine'));
    }
    for (const [ours, theirs] of [
      [{}, { ...bucket, ...keys, ...endpoint, ...value }],
      [endpoint, { ...bucket, ...keys, ...value }],
      [
        { ...endpoint, ...value },
        { ...bucket, ...keys },
      ],
      [{ ...value, ...keys }, endpoint],
    ] as const)
      assert.ok(read(ours, asFile(theirs)));
    assert.match(problems({ ARTIFACTSTORE_S3_REGION: 'x.elsewhere.example/' }).message, /is not a region/);
  });

  test('reads backends by name, each with the settings of its own', () => {
    const config = read({
      ARTIFACTSTORE_STORAGE_BACKENDS: 'local, disk-2:local, hot:s3, s3',
      ARTIFACTSTORE_STORAGE_LOCAL_DISK_2_ROOT: '/srv/two',
      ARTIFACTSTORE_S3_HOT_BUCKET: 'hot',
      ARTIFACTSTORE_S3_HOT_ACCESS_KEY_REF: 'env:A',
      ARTIFACTSTORE_S3_HOT_SECRET_KEY_REF: 'env:B',
      ARTIFACTSTORE_S3_BUCKET: 'plain',
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:A',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:B',
    });
    assert.deepEqual(
      config.backends.map((backend) => [backend.id, backend.kind, isS3(backend) ? backend.bucket : (backend as LocalBackendConfig).root]),
      [
        ['local', 'local', join(directory, 'var/storage')],
        ['disk-2', 'local', '/srv/two'],
        ['hot', 's3', 'hot'],
        ['s3', 's3', 'plain'],
      ],
    );
    const backends = (list: string) => problems({ ARTIFACTSTORE_STORAGE_BACKENDS: list }).message;
    assert.match(backends('hot:s3'), /ARTIFACTSTORE_S3_HOT_BUCKET: is not set, and the backend "hot" needs it/);
    assert.match(backends('tape'), /"tape": "tape" is no kind of backend; the kinds are "local" and "s3"/);
    assert.match(backends('Hot:s3'), /"Hot:s3" is not id:kind, with an id of small letters/);
    assert.match(backends('a:b:c'), /is not id:kind/);
    assert.match(backends('a:local,a:local'), /names "a" twice/);
    assert.match(backends('s3:local'), /"s3:local" is called as another kind/);
    const sts = { ARTIFACTSTORE_STORAGE_BACKENDS: 'sts:s3' };
    assert.match(problems(sts).message, /ARTIFACTSTORE_STORAGE_BACKENDS: "sts" cannot be the name of a backend of the kind "s3"/);
  });

  test('refuses two backends in one place, and one within another', () => {
    const two = { ARTIFACTSTORE_STORAGE_BACKENDS: 'local,b:local', ARTIFACTSTORE_STORAGE_LOCAL_ROOT: '/srv/a' };
    assert.match(problems({ ...two, ARTIFACTSTORE_STORAGE_LOCAL_B_ROOT: '/srv/a' }).message, /"local" and "b" are one place, \/srv\/a/);
    assert.match(problems({ ...two, ARTIFACTSTORE_STORAGE_LOCAL_B_ROOT: '/srv/a/b' }).message, /"b" \(\/srv\/a\/b\) lies within "local"/);
    read({ ...two, ARTIFACTSTORE_STORAGE_LOCAL_B_ROOT: '/srv/ab' });
  });

  test('reads a bucket with temporary keys, from the STS beside it where no other is named', () => {
    const config = read({
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://rgw.example.org',
      ARTIFACTSTORE_S3_BUCKET: 'evidence',
      ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity',
      ARTIFACTSTORE_S3_ROLE_ARN: 'arn:aws:iam:::role/artifactstore',
      ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE: 'token',
    });
    assert.equal(config.defaultBackend, 's3');
    const [s3] = config.backends;
    assert.ok(s3 !== undefined && isS3(s3));
    assert.deepEqual(s3.credentials, {
      kind: 'web-identity',
      stsEndpointUrl: 'https://rgw.example.org',
      roleArn: 'arn:aws:iam:::role/artifactstore',
      webIdentityTokenFile: join(directory, 'token'),
      sessionDurationSeconds: 3600,
    });
  });

  test('asks for no role where the store has an address: it may read from the token what it allows', () => {
    const { backends } = read({
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://minio.example.org',
      ARTIFACTSTORE_S3_BUCKET: 'evidence',
      ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity',
      ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE: '/run/token',
    });
    const [s3] = backends;
    assert.ok(s3 !== undefined && isS3(s3) && s3.credentials.kind === 'web-identity');
    assert.equal(s3.credentials.roleArn, undefined);
  });

  test('names every setting that a bucket lacks, and checks them all even without one', () => {
    const { message } = problems({ ARTIFACTSTORE_STORAGE_BACKENDS: 's3' });
    for (const name of ['BUCKET', 'ACCESS_KEY_REF', 'SECRET_KEY_REF'])
      assert.match(message, new RegExp(`ARTIFACTSTORE_S3_${name}: is not set`));
    const temporary = problems({ ARTIFACTSTORE_STORAGE_BACKENDS: 's3', ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity' }).message;
    for (const name of ['ROLE_ARN', 'WEB_IDENTITY_TOKEN_FILE']) assert.match(temporary, new RegExp(`ARTIFACTSTORE_S3_${name}: is not set`));
    assert.match(temporary, /ARTIFACTSTORE_S3_ROLE_ARN: is not set, and AWS itself needs it/);
    const both = {
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_S3_BUCKET: 'b',
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
      ARTIFACTSTORE_S3_ROLE_ARN: 'arn:aws:iam:::role/artifactstore',
    };
    assert.match(problems(both).message, /ARTIFACTSTORE_S3_ROLE_ARN: is set, and ARTIFACTSTORE_S3_CREDENTIALS is not/);
    read({ ...both, ARTIFACTSTORE_S3_CREDENTIALS: 'static' });
    assert.match(problems({ ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3' }).message, /"s3" is not one of local/);
    assert.match(problems({ ARTIFACTSTORE_S3_FORCE_PATH_STYLE: '2' }).message, /S3_FORCE_PATH_STYLE/);
    assert.match(problems({ ARTIFACTSTORE_S3_SSE: 'rot13' }).message, /S3_SSE.*AES256/);
    assert.match(problems({ ARTIFACTSTORE_S3_KEY_PREFIX: 'a//b' }).message, /S3_KEY_PREFIX/);
    assert.match(problems({ ARTIFACTSTORE_S3_MULTIPART_CHUNK_BYTES: '1000' }).message, /S3_MULTIPART_CHUNK_BYTES/);
    read({ ARTIFACTSTORE_S3_BUCKET: 'b', ARTIFACTSTORE_S3_SECRET_KEY_REF: 'file:/run/secrets/s3' });
  });
});
