import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { folder, problems, read } from './read-in-folder.ts';

describe('names of settings', () => {
  test('names everything that is wrong at once, and where it stands', () => {
    const from = folder({ '.env': 'ARTIFACTSTORE_ANON_READ=maybe\n' });
    const error = problems(
      {
        ARTIFACTSTORE_PROT: '8000',
        ARTIFACTSTORE_PORT: '80 00',
        ARTIFACTSTORE_LOG_LEVEL: 'LOUD',
        ARTIFACTSTORE_API_URL: 'localhost:8000',
        ARTIFACTSTORE_RETENTION_UNFINALIZED_SECONDS: '-1',
        ARTIFACTSTORE_DATABASE_URL: 'mysql://root@localhost/x',
      },
      from,
    );
    assert.deepEqual((error.info as { names: string[] }).names.toSorted(), [
      'ARTIFACTSTORE_ANON_READ',
      'ARTIFACTSTORE_API_URL',
      'ARTIFACTSTORE_DATABASE_URL',
      'ARTIFACTSTORE_LOG_LEVEL',
      'ARTIFACTSTORE_PORT',
      'ARTIFACTSTORE_PROT',
      'ARTIFACTSTORE_RETENTION_UNFINALIZED_SECONDS',
    ]);
    assert.match(error.message, /ARTIFACTSTORE_PROT: is not a known setting; did you mean ARTIFACTSTORE_PORT\?/);
    assert.match(error.message, /ARTIFACTSTORE_ANON_READ: "maybe" is neither true nor false \(in \.env\)/);
  });

  test('guesses what was meant by the first hundred unknown names only', () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`ARTIFACTSTORE_PORT${index}`, '1']));
    const lines = problems(many).message.split('\n').slice(1);
    assert.match(lines[0] ?? '', /did you mean ARTIFACTSTORE_PORT\?$/);
    assert.equal(lines[100], '  ARTIFACTSTORE_PORT100: is not a known setting');
  });

  test('refuses names that are not in capitals, wherever they stand', () => {
    const from = folder({ '.env': 'artifactstore_port=9001\nArtifactstore_Auth_Tokens=x\nartifactstore_test_x=1\nother=1\n' });
    const { message } = problems({ artifactstore_host: '0.0.0.0' }, from);
    assert.match(message, /artifactstore_port: .*names are in capitals, as ARTIFACTSTORE_PORT \(in \.env\)/);
    assert.match(message, /Artifactstore_Auth_Tokens: .*as ARTIFACTSTORE_AUTH_TOKENS/);
    assert.match(message, /artifactstore_host: .*as ARTIFACTSTORE_HOST$/m);
    assert.match(message, /artifactstore_test_x: is not a known setting/);
  });

  test('suggests what was most likely meant', () => {
    for (const [name, expected] of [
      ['PROT', 'PORT'],
      ['DB_URL', 'DATABASE_URL'],
      ['TOKEN', 'API_TOKEN or ARTIFACTSTORE_ID_TOKEN or ARTIFACTSTORE_SOURCE_TOKEN'],
      ['AUTH_TOKEN', 'AUTH_TOKENS'],
      ['S3_ENDPOINT', 'S3_ENDPOINT_URL'],
      ['S3_ACCESS_KEY_ID', 'S3_ACCESS_KEY_REF'],
      ['LOGLEVEL', 'LOG_LEVEL'],
      ['BUCKET', 'S3_BUCKET'],
      ['STORAGE_ROOT', 'STORAGE_LOCAL_ROOT or ARTIFACTSTORE_STORAGE_SPOOL_ROOT'],
    ] as const)
      assert.ok(problems({ [`ARTIFACTSTORE_${name}`]: 'x' }).message.endsWith(`did you mean ARTIFACTSTORE_${expected}?`), name);
    for (const name of ['VERBOSE', 'X', 'MY_OWN_THING'])
      assert.doesNotMatch(problems({ [`ARTIFACTSTORE_${name}`]: 'x' }).message, /did you mean/);
  });

  test('leaves ARTIFACTSTORE_TEST_ names alone, and names that a credential reference names', () => {
    read({ ARTIFACTSTORE_TEST_POSTGRES: 'x', ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ARTIFACTSTORE_MY_KEY', ARTIFACTSTORE_MY_KEY: 'x' });
    problems({ ARTIFACTSTORE_MY_KEY: 'x' });
  });
});
