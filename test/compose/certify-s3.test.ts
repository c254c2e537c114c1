import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Certificate } from '../../src/certify/certificate.ts';
import { certifyS3 } from '../../src/compose/certify-s3.ts';
import { readConfig } from '../../src/config/config.ts';
import { readProfile, writeProfile } from '../../src/storage/s3/profile.ts';
import { openStrictStore, type StrictStore } from '../s3-stand-in/strict-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-certify-'));
const path = join(directory, 'var', 's3-profile.json');
const families = ['ranges', 'clock'] as const;

describe('certification of what is configured', () => {
  let store: StrictStore;
  before(async () => {
    store = await openStrictStore();
  });
  after(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  const configure = (more: Readonly<Record<string, string>> = {}) =>
    readConfig(
      {
        ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3',
        ARTIFACTSTORE_S3_ENDPOINT_URL: store.url,
        ARTIFACTSTORE_S3_BUCKET: 'artifacts',
        ARTIFACTSTORE_S3_KEY_PREFIX: 'mine',
        ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
        ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
        ACCESS: store.accessKeyId,
        SECRET: store.secretAccessKey,
        ...more,
      },
      { directory },
    );

  test('reports each probe as it ends, and keeps the certificate only where that was asked for', async () => {
    const seen: string[] = [];
    const onProbe = ({ id }: { readonly id: string }, done: number, total: number) => void seen.push(`${id} ${done}/${total}`);
    const certificate = await certifyS3(configure(), { families, onProbe, environment: {} });
    assert.deepEqual(certificate.store, { endpoint: store.url, region: 'us-east-1', bucket: 'artifacts', server: null });
    assert.deepEqual(
      seen.map((line) => line.split(' ')[0]).sort(),
      certificate.probes.map(({ id, result }) => (result === 'pass' ? id : `${id} ${result}`)).sort(),
    );
    assert.equal(seen.at(-1)?.split(' ')[1], `${seen.length}/${seen.length}`);
    assert.equal(existsSync(path), false);
    const saved = await certifyS3(configure(), { families, save: true, environment: {} });
    const text = readFileSync(path, 'utf8');
    assert.deepEqual(JSON.parse(text) as Certificate, saved);
    assert.deepEqual(await readProfile(path), { endpointUrl: store.url, bucket: 'artifacts', dialect: saved.dialect });
    for (const secret of [store.secretAccessKey, store.accessKeyId]) assert.equal(text.includes(secret), false);
    assert.deepEqual(store.objects('artifacts'), []);
  });

  test('asks another place by its own keys, and never keeps that for the configured one', async () => {
    await using other = await openStrictStore({ buckets: ['trial'] });
    rmSync(path, { force: true });
    const place = {
      endpointUrl: other.url,
      bucket: 'trial',
      region: 'us-east-1',
      keyPrefix: '',
      forcePathStyle: true,
      credentials: { accessKeyRef: 'env:ELSE', secretKeyRef: 'env:ELSE_SECRET', sessionTokenRef: undefined },
    };
    const environment = { ELSE: other.accessKeyId, ELSE_SECRET: other.secretAccessKey };
    const certificate = await certifyS3(configure(), { place, families, save: true, environment });
    assert.equal(certificate.store.bucket, 'trial');
    assert.equal(existsSync(path), false);
    await assert.rejects(certifyS3(configure(), { place, families, environment: {} }), { code: 'invalid_configuration' });
  });

  test('leaves the dialect as it was where it did not ask', async () => {
    const before = { bodyBinding: 'content-md5', ownerAcl: true } as const;
    const { dialect: _, ...rest } = await certifyS3(configure(), { families: ['clock'], environment: {} });
    await writeProfile(path, { ...rest, dialect: before });
    const saved = await certifyS3(configure(), { families: ['clock'], save: true, environment: {} });
    assert.deepEqual(saved.dialect, before);
    const asked = await certifyS3(configure(), { families: ['checksums', 'reach'], save: true, environment: {} });
    assert.deepEqual(
      asked.dialect,
      { bodyBinding: 'signed-sha256', ownerAcl: true },
      'without the owner nobody knows what the owner reads',
    );
    writeFileSync(path, 'damaged');
    const anew = await certifyS3(configure(), { families: ['clock'], save: true, environment: {} });
    assert.deepEqual(anew.dialect, { bodyBinding: 'signed-sha256', ownerAcl: false });
    rmSync(path);
  });

  test('keeps nothing of a store that could not be asked, and says which setting to look at', async () => {
    await assert.rejects(certifyS3(configure({ SECRET: 'wrong' }), { families, save: true, environment: {} }), (error: Error) => {
      assert.match(error.message, /ARTIFACTSTORE_S3_SECRET_KEY_REF/);
      return true;
    });
    assert.equal(existsSync(path), false);
    await assert.rejects(certifyS3(configure({ ARTIFACTSTORE_STORAGE_BACKENDS: 'local' }), { environment: {} }), {
      code: 'invalid_configuration',
    });
  });
});
