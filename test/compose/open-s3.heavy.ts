import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { blake3 } from '../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { openTestRegistry, type TestRegistry } from '../registry/open-registry.ts';
import { s3Settings } from '../s3-stand-in/settings.ts';
import { openStrictStore, type StrictStore } from '../s3-stand-in/strict-store.ts';

const mebibyte = 1_048_576;

describe('a registry on a bucket', () => {
  let bucket: StrictStore;
  let store: TestRegistry;
  let registry: Registry;

  before(async () => {
    bucket = await openStrictStore();
    store = await openTestRegistry(
      {
        ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
        // What goes to a bucket is looked at as it goes.
        ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0',
        ...s3Settings(bucket),
        ARTIFACTSTORE_S3_KEY_PREFIX: 'one',
        ARTIFACTSTORE_S3_MULTIPART_CHUNK_BYTES: String(5 * mebibyte),
        ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml',
      },
      { 'retention.toml': '[retention_classes.blink]\ndefault_duration_seconds = 1\n' },
    );
    registry = store.as('tester');
  });
  after(async () => {
    await store.close();
    await bucket.close();
  });

  const open = async (retention_class = 'transient') =>
    (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class })).record.id;
  const spooled = () => readdir(join(store.directory, 'var/spool')).catch(() => []);
  const declared = (bytes: Uint8Array) => new Map([['blake3', blake3(bytes)]]);
  async function read(file_id: string): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync((await registry.files.open({ file_id }))!.body, (chunk) => Buffer.from(chunk)));
  }

  test('takes an upload whose digest is declared straight to its key, and one without by the spool', async () => {
    const id = await open();
    const bytes = randomBytes(12 * mebibyte + 3);
    const seen: number[] = [];
    const straight = await registry.files.add(id, {
      relative_path: 'straight',
      digests: declared(bytes),
      body: watched(bytes, async () => void seen.push((await spooled()).length)),
    });
    assert.equal(Math.max(...seen), 0);
    assert.equal(bucket.requests.UploadPart, 3);
    assert.ok((await read(straight.record.id)).equals(bytes));

    const other = randomBytes(6 * mebibyte);
    seen.length = 0;
    const spool = await registry.files.add(id, {
      relative_path: 'spooled',
      body: watched(other, async () => void seen.push((await spooled()).length)),
    });
    assert.equal(Math.max(...seen), 1);
    assert.ok((await read(spool.record.id)).equals(other));
    for (const { record, is } of [
      { record: straight.record, is: bytes },
      { record: spool.record, is: other },
    ])
      assert.equal(record.digest_sha256, createHash('sha256').update(is).digest('hex'));
  });

  test('leaves nothing of an upload that is not what was declared, short or long', async () => {
    const id = await open();
    const before = bucket.objects('artifacts');
    for (const size of [10, 6 * mebibyte]) {
      const bytes = randomBytes(size);
      const file = { relative_path: 'wrong', digests: declared(randomBytes(3)), body: watched(bytes) };
      await assert.rejects(registry.files.add(id, file), (error) => isArtifactstoreError(error, 'digest_mismatch'));
      const cut = { relative_path: 'cut', digests: declared(bytes), size_bytes: size + 1, body: watched(bytes) };
      await assert.rejects(registry.files.add(id, cut), (error) => isArtifactstoreError(error, 'length_mismatch'));
    }
    assert.deepEqual(bucket.objects('artifacts'), before);
    assert.deepEqual(bucket.uploads('artifacts'), []);
  });

  test('joins an object that is there, and many uploads of the same new bytes become one', async () => {
    const bytes = randomBytes(100_000);
    const ids = await Promise.all(Array.from({ length: 8 }, () => open()));
    const files = await Promise.all(
      ids.map((id) => registry.files.add(id, { relative_path: 'f', digests: declared(bytes), body: watched(bytes) })),
    );
    for (const { record } of files) assert.ok((await read(record.id)).equals(bytes));
    assert.equal(new Set(files.map(({ record }) => record.locations[0]!.object_key)).size, 1);
    const requests = bucket.requests.PutObject!;
    await registry.files.add(ids[0]!, { relative_path: 'again', digests: declared(bytes), body: watched(bytes) });
    assert.equal(bucket.requests.PutObject, requests);
  });

  test('collects what is over, so that the bucket holds what the log says is live', async () => {
    const id = await open('blink');
    const bytes = randomBytes(7 * mebibyte);
    await registry.files.add(id, { relative_path: 'f', digests: declared(bytes), body: watched(bytes) });
    await registry.packages.finalize(id);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual((await store.operator.sweep()).marked_package_ids, [id]);
    const { backends, collected_package_ids } = await store.operator.collect();
    assert.deepEqual(collected_package_ids, [id]);
    const [s3] = backends;
    assert.equal(s3!.stored_bytes, s3!.live_bytes);
    assert.equal(s3!.stored_objects, bucket.objects('artifacts').length - 1, 'one of them is the marker');
  });

  test('finds altered bytes, and never gives them out', async () => {
    const id = await open();
    const bytes = randomBytes(2 * mebibyte);
    const { record } = await registry.files.add(id, { relative_path: 'f', body: watched(bytes) });
    const key = `one/${record.locations[0]!.object_key}`;
    const bad = Buffer.from(bytes);
    bad[mebibyte + 7]! ^= 1;
    bucket.place('artifacts', key, bad);
    await assert.rejects(read(record.id), (error) => isArtifactstoreError(error, 'integrity_failure'));
    const { failed } = await store.operator.verifyStorage('s3');
    assert.equal(failed, 1);
    await registry.files.add(await open(), { relative_path: 'f', body: watched(bytes) });
    assert.ok((await read(record.id)).equals(bytes));
  });

  test('says nothing bad of objects that the store is too busy to show', async () => {
    const id = await open();
    const { record } = await registry.files.add(id, { relative_path: 'f', body: watched(randomBytes(1000)) });
    const before = (await registry.health()).last_sequence;
    bucket.setFaults({ status: 503, onlyOperations: ['GetObject'] });
    await assert.rejects(store.operator.verifyStorage('s3', { restart: true, jobs: 1 }), {
      code: 'storage_unavailable',
      message: /fewer requests/,
    });
    bucket.setFaults(undefined);
    const { status, last_sequence } = await registry.health();
    assert.deepEqual([status, last_sequence], ['ok', before]);
    assert.ok((await read(record.id)).byteLength === 1000);
  });

  test('says that the store is unavailable, takes nothing, and goes on when it is back', async () => {
    const id = await open();
    const bytes = randomBytes(1000);
    bucket.setFaults({ status: 500 });
    for (const digests of [undefined, declared(bytes)])
      await assert.rejects(
        registry.files.add(id, { relative_path: 'f', body: watched(bytes), ...(digests === undefined ? {} : { digests }) }),
        (error) => isArtifactstoreError(error, 'storage_unavailable'),
      );
    bucket.setFaults(undefined);
    await store.operator.collect({ draftAgeSeconds: 0 });
    assert.deepEqual(await spooled(), []);
    const { record } = await registry.files.add(id, { relative_path: 'f', digests: declared(bytes), body: watched(bytes) });
    assert.ok((await read(record.id)).equals(bytes));
  });
});

test('a bucket is written to as its certificate says, and no other one', async () => {
  await using bucket = await openStrictStore();
  const settings = {
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    // What goes to a bucket is looked at as it goes.
    ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0',
    ...s3Settings(bucket),
    ARTIFACTSTORE_S3_PROFILE_PATH: 'profile.json',
  };
  const certificate = (name: string) =>
    JSON.stringify({ store: { endpoint: bucket.url, bucket: name }, dialect: { bodyBinding: 'content-md5', ownerAcl: true } });
  for (const [name, written] of [
    ['artifacts', true],
    ['another', false],
  ] as const) {
    const prefixed = { ...settings, ARTIFACTSTORE_S3_KEY_PREFIX: `of-${name}` };
    await using store = await openTestRegistry(prefixed, { 'profile.json': certificate(name) });
    const registry = store.as('tester');
    const { id } = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
    const { record } = await registry.files.add(id, { relative_path: 'f', body: watched(Buffer.from(name)) });
    const found = JSON.stringify(bucket.object('artifacts', `of-${name}/${record.locations[0]!.object_key}`));
    assert.equal(found.includes('bucket-owner-full-control'), written, name);
  }
  await assert.rejects(openTestRegistry(settings, { 'profile.json': '{' }), (error) =>
    isArtifactstoreError(error, 'invalid_configuration'),
  );
});

async function* watched(bytes: Uint8Array, look: () => Promise<void> = async () => undefined): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < bytes.byteLength; first += mebibyte) {
    await look();
    yield bytes.subarray(first, first + mebibyte);
  }
  await look();
}
