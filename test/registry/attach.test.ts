import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { administrator } from '../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { chunks, collect, patterned } from '../../src/registry/conformance/samples.ts';
import type { Attached, File } from '../../src/registry/REGISTRY.ts';
import { s3Settings } from '../s3-stand-in/settings.ts';
import { openStrictStore } from '../s3-stand-in/strict-store.ts';
import { assertClean } from './assert-clean.ts';
import { openTestRegistry } from './open-registry.ts';
import { openTwoBackends, type TwoBackends } from './two-backends.ts';

async function create(store: TwoBackends, producer: string): Promise<string> {
  const input = { name: 'n', producer, subject: 's', retention_class: 'transient' };
  return (await store.as(administrator('x')).packages.create(input)).record.id;
}

async function addTo(store: TwoBackends, producer: string, path: string, bytes: Uint8Array): Promise<File> {
  return (await store.as(administrator('x')).files.add(await create(store, producer), { relative_path: path, body: chunks(bytes) })).record;
}

function itemsOf(file: File, ...paths: readonly string[]) {
  return paths.map((relative_path) => ({ relative_path, content_address: `sha256:${file.digest_sha256}`, size_bytes: file.size_bytes }));
}

function placesOf(attached: readonly Attached[]): readonly string[] {
  return attached.map(({ result, file }) => `${result} ${file?.locations.map(({ backend_id, state }) => `${backend_id} ${state}`)}`);
}

describe('attaching bytes that are only in another backend than the one that the route names', () => {
  for (const size of [0, 700, 3_000_001])
    it(`copies them there, ${size} bytes`, async () => {
      await using store = await openTwoBackends();
      const bytes = patterned(size);
      const near = await addTo(store, 'near', 'a', bytes);
      const id = await create(store, 'far');
      const attached = await store.as(administrator('x')).files.attach(id, itemsOf(near, 'one', 'two'));
      assert.deepEqual(placesOf(attached), ['created far stored', 'created far stored']);
      // They are there by themselves: the other backend may go.
      await rename(store.rootOf('near'), `${store.rootOf('near')}-gone`);
      const opened = await store.as(administrator('x')).files.open({ file_id: attached[1]!.file!.id });
      assert.ok(bytes.equals(await collect(opened!.body)));
      await rename(`${store.rootOf('near')}-gone`, store.rootOf('near'));
      assert.deepEqual(placesOf(await store.as(administrator('x')).files.attach(id, itemsOf(near, 'one'))), ['exists far stored']);
      // Now that they are there, the next joins them.
      assert.deepEqual(placesOf(await store.as(administrator('x')).files.attach(await create(store, 'far'), itemsOf(near, 'x'))), [
        'created far stored',
      ]);
      await assertClean(store, { near: 1, far: 1 });
    });

  it('copies once for many who ask at the same time', async () => {
    await using store = await openTwoBackends();
    const near = await addTo(store, 'near', 'a', patterned(50_000));
    const ids = await Promise.all([1, 2, 3].map(() => create(store, 'far')));
    const all = await Promise.all(ids.map((id) => store.as(administrator('x')).files.attach(id, itemsOf(near, 'one'))));
    for (const attached of all) assert.deepEqual(placesOf(attached), ['created far stored']);
    await assertClean(store, { near: 1, far: 1 });
  });

  it('never takes damaged bytes along: they are recorded, and to be sent', async () => {
    await using store = await openTwoBackends();
    const bytes = patterned(5000);
    const near = await addTo(store, 'near', 'a', bytes);
    const other = await addTo(store, 'near', 'b', patterned(600));
    const path = store.pathOf('near', near);
    const damaged = await readFile(path);
    damaged[7]! ^= 1;
    await writeFile(path, damaged);
    const id = await create(store, 'far');
    const attached = await store.as(administrator('x')).files.attach(id, [...itemsOf(near, 'bad'), ...itemsOf(other, 'good')]);
    assert.deepEqual(placesOf(attached), ['missing undefined', 'created far stored']);
    assert.equal((await store.as(administrator('x')).files.get(near.id))!.locations[0]!.state, 'failed');
    const sent = await store.as(administrator('x')).files.add(id, { relative_path: 'bad', body: chunks(bytes) });
    assert.equal(sent.record.locations[0]!.backend_id, 'far');
  });

  it('asks for them when the backend that has them is unavailable, and records nothing bad', async () => {
    await using store = await openTwoBackends();
    const near = await addTo(store, 'near', 'a', patterned(5000));
    const id = await create(store, 'far');
    await rename(store.rootOf('near'), `${store.rootOf('near')}-gone`);
    assert.deepEqual(placesOf(await store.as(administrator('x')).files.attach(id, itemsOf(near, 'a'))), ['missing undefined']);
    await rename(`${store.rootOf('near')}-gone`, store.rootOf('near'));
    assert.equal((await store.as(administrator('x')).files.get(near.id))!.locations[0]!.state, 'stored');
    assert.deepEqual(placesOf(await store.as(administrator('x')).files.attach(id, itemsOf(near, 'a'))), ['created far stored']);
  });

  it('says so when the backend that they should go to is unavailable, and changes nothing', async () => {
    await using store = await openTwoBackends();
    const near = await addTo(store, 'near', 'a', patterned(5000));
    const id = await create(store, 'far');
    const before = (await store.as(administrator('x')).events.page({ limit: 1 })).last_sequence;
    await rename(store.rootOf('far'), `${store.rootOf('far')}-gone`);
    await assert.rejects(store.as(administrator('x')).files.attach(id, itemsOf(near, 'a')), (error) =>
      isArtifactstoreError(error, 'storage_unavailable'),
    );
    await rename(`${store.rootOf('far')}-gone`, store.rootOf('far'));
    assert.equal((await store.as(administrator('x')).events.page({ limit: 1 })).last_sequence, before);
    assert.deepEqual(placesOf(await store.as(administrator('x')).files.attach(id, itemsOf(near, 'a'))), ['created far stored']);
    await assertClean(store, { near: 1, far: 1 });
  });

  it('repairs a damaged object there by the copy', async () => {
    await using store = await openTwoBackends();
    const bytes = patterned(5000);
    const near = await addTo(store, 'near', 'a', bytes);
    const far = await addTo(store, 'far', 'a', bytes);
    await rm(store.pathOf('far', far));
    await store.operator.verifyStorage('far');
    const [attached] = await store.as(administrator('x')).files.attach(await create(store, 'far'), itemsOf(near, 'a'));
    assert.match(attached!.file!.locations[0]!.object_key, /\.1$/);
    assert.equal((await store.as(administrator('x')).files.get(far.id))!.locations[0]!.state, 'stored');
    await assertClean(store, { near: 1, far: 1 });
  });
});

it('a bucket that the route names gets the bytes that are in a directory', async () => {
  await using bucket = await openStrictStore();
  await using store = await openTestRegistry({
    ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3',
    ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: '*:release-evidence=s3,*:*=local',
    ...s3Settings(bucket),
  });
  const registry = store.as('x');
  const packageOf = async (retention_class: string) =>
    (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class })).record.id;
  const bytes = patterned(2_000_000);
  const { record } = await registry.files.add(await packageOf('raw-evidence'), { relative_path: 'a', body: chunks(bytes) });
  assert.equal(record.locations[0]!.backend_id, 'local');
  const [attached] = await registry.files.attach(await packageOf('release-evidence'), itemsOf(record, 'a'));
  assert.deepEqual(
    attached!.file!.locations.map(({ backend_id }) => backend_id),
    ['s3'],
  );
  const opened = await registry.files.open({ file_id: attached!.file!.id });
  assert.ok(bytes.equals(await collect(opened!.body)));
});
