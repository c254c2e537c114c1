import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Certificate } from '../../../src/certify/certificate.ts';
import { readProfile } from '../../../src/storage/s3/profile.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { finished, openWorkplace, type Workplace } from '../workplace.ts';

const registryFamilies = ['objects', 'ranges', 'listing', 'multipart', 'checksums', 'keys', 'errors', 'reach'];

describe('storage certify', () => {
  let store: StrictStore;
  let place: Workplace;
  before(async () => {
    store = await openStrictStore({ buckets: ['artifacts', 'other'] });
    place = openWorkplace({
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_S3_ENDPOINT_URL: store.url,
      ARTIFACTSTORE_S3_BUCKET: 'artifacts',
      ARTIFACTSTORE_S3_KEY_PREFIX: 'mine',
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:STORE_KEY',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:STORE_SECRET',
      STORE_KEY: store.accessKeyId,
      STORE_SECRET: store.secretAccessKey,
    });
  });
  after(async () => {
    place[Symbol.dispose]();
    await store.close();
  });

  const certify = (...args: readonly string[]) => place.run('storage', 'certify', ...args);

  test('says what the configured store is safe for, and keeps it where the backend looks', async () => {
    const { code, stdout, stderr } = await certify('--json', '--save', ...registryFamilies.flatMap((name) => ['--family', name]));
    assert.deepEqual([code, stderr], [0, '']);
    const certificate = JSON.parse(stdout) as Certificate;
    assert.deepEqual(certificate.store, { endpoint: store.url, region: 'us-east-1', bucket: 'artifacts', server: null });
    assert.equal(certificate.uses.find(({ use }) => use === 'registry')?.verdict, 'safe');
    assert.equal(certificate.uses.find(({ use }) => use === 'write-once')?.verdict, 'unproven');
    assert.deepEqual([...new Set(certificate.probes.map(({ family }) => family))], registryFamilies);
    const path = place.path('var/s3-profile.json');
    assert.deepEqual(await readProfile(path), { endpointUrl: store.url, bucket: 'artifacts', dialect: certificate.dialect });
    for (const text of [stdout, readFileSync(path, 'utf8')]) assert.equal(text.includes(store.secretAccessKey), false);
    assert.deepEqual([store.objects('artifacts'), store.uploads('artifacts')], [[], []]);
  });

  test('people see what did not pass, and why the answer is no; the exit code says it too', async () => {
    const { accessKeyId, secretAccessKey } = store;
    await using lying = await openStrictStore({ accessKeyId, secretAccessKey, lies: { truncatedRange: true } });
    const { code, stdout, stderr } = await certify(...placeOf(lying), '--family', 'ranges', '--family', 'clock');
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, new RegExp(`^${lying.url}/artifacts\n`));
    assert.match(stdout, /^ranges {7}✗✗✗✗✗✗✗✓✓✓ {2}3 of 10$/m);
    assert.match(stdout, /^clock {8}✓✓✓✓ {2}4 of 4$/m);
    assert.match(stdout, /^ {2}✗ ranges\.first-last: bytes=10-19\n {6}9 bytes instead of 10$/m);
    assert.match(stdout, /^unsafe {18}registry storage\n {24}ranges\.first-last: 9 bytes instead of 10$/m);
    assert.match(stdout, /^grade F, /m);
  });

  test('who asks for a part only is told whether that part holds', async () => {
    const { code, stderr } = await certify('--family', 'objects', '--family', 'keys');
    assert.deepEqual([code, stderr], [0, 'only a part was asked, and it holds; what the store is safe for takes a run without --family\n']);
  });

  test('where the result goes is tried before the store is asked', async () => {
    place.write({ 'a-file': '', 'a-folder/': '' });
    const before = { ...store.requests };
    for (const path of ['a-file/profile.json', 'a-folder']) {
      using other = openWorkplace({
        ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
        ARTIFACTSTORE_S3_ENDPOINT_URL: store.url,
        ARTIFACTSTORE_S3_BUCKET: 'artifacts',
        ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:STORE_KEY',
        ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:STORE_SECRET',
        ARTIFACTSTORE_S3_PROFILE_PATH: place.path(path),
        STORE_KEY: store.accessKeyId,
        STORE_SECRET: store.secretAccessKey,
      });
      const { code, stderr } = await other.run('storage', 'certify', '--save', '--family', 'objects');
      assert.equal(code, 2, stderr);
      assert.match(stderr, /can't be written: .*\nhint: set ARTIFACTSTORE_S3_PROFILE_PATH/);
    }
    assert.deepEqual({ ...store.requests }, before);
  });

  test('a table for documents', async () => {
    const { code, stdout } = await certify('--markdown', '--family', 'reach', '--other-bucket', 'other');
    assert.equal(code, 1);
    assert.match(
      stdout,
      new RegExp(`^Bucket \`artifacts\` at ${store.url}, \\d{4}-\\d\\d-\\d\\d, artifactstore \\S+: grade \\*\\*U\\*\\*\\.$`, 'm'),
    );
    assert.match(stdout, /^\| registry storage \| unproven \| objects\.round-trip: was not asked;/m);
    assert.match(stdout, /^\| reach\.other-bucket-read \| the keys do not read the other bucket \| ✗ 200: what is in it is shown \|$/m);
    for (const line of stdout.split('\n').filter((each) => each.startsWith('|'))) assert.match(line, /\|$/);
  });

  test('a key on the command line is refused and not repeated', async () => {
    const { code, stdout, stderr } = await certify(...placeOf(store, 'AKIASECRETSECRET'));
    assert.equal(code, 2);
    assert.match(stderr, /^error: option '--access-key-ref' must be env:NAME or file:/m);
    assert.equal((stdout + stderr).includes('AKIASECRETSECRET'), false);
    const lacking = await certify('--endpoint', store.url);
    assert.equal(lacking.code, 2);
    assert.match(lacking.stderr, /option '--endpoint' needs '--bucket' too/);
  });

  test('a store that is not there is unreachable, and without a backend there is nothing to ask', async () => {
    const away = await certify(...placeOf({ url: 'http://127.0.0.1:9' }));
    assert.equal(away.code, 6);
    assert.match(away.stderr, /nothing listens there|nobody answers there/);
    using bare = openWorkplace();
    const { code, stderr } = await bare.run('storage', 'certify');
    assert.equal(code, 2);
    assert.match(stderr, /There is no S3 backend to certify\..*\nhint: name s3 in ARTIFACTSTORE_STORAGE_BACKENDS/);
  });

  test('stopped by Ctrl-C it leaves nothing behind', async () => {
    const before = store.requests.UploadPart ?? 0;
    const child = place.start('storage', 'certify');
    const ending = finished(child);
    while ((store.requests.UploadPart ?? 0) === before) await sleep(5);
    child.kill('SIGINT');
    const { code, stderr } = await ending;
    assert.equal(code, 130);
    assert.match(stderr, /^error: The operation was cancelled \(cancelled\)$/m);
    assert.deepEqual([store.objects('artifacts'), store.uploads('artifacts')], [[], []]);
  });

  function placeOf({ url }: { readonly url: string }, key = 'env:STORE_KEY'): readonly string[] {
    return ['--endpoint', url, '--bucket', 'artifacts', '--access-key-ref', key, '--secret-key-ref', 'env:STORE_SECRET'];
  }
});
