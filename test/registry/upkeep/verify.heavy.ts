import assert from 'node:assert/strict';
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { LocationPlace } from '../../../src/registry/operations/verify.ts';
import type { File, Registry } from '../../../src/registry/REGISTRY.ts';
import { localRoot, openTestRegistry, type TestRegistry } from '../open-registry.ts';
import { openTwoBackends } from '../two-backends.ts';

describe('verification of what is stored', () => {
  let store: TestRegistry;
  let registry: Registry;
  let packageId: string;
  const texts = Array.from({ length: 20 }, (_, index) => `content ${index} `.repeat(100 * index));
  before(async () => {
    // Its files are looked for in the storage.
    store = await openTestRegistry({ ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' });
    registry = store.as('producer');
    packageId = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record.id;
    for (const [index, text] of texts.entries()) await add(packageId, `f${index}`, text);
    await add(packageId, 'same as f3', texts[3]!);
  });
  after(() => store.close());

  async function* body(text: string): AsyncIterable<Uint8Array> {
    yield Buffer.from(text);
  }
  const add = (id: string, relative_path: string, text: string) => registry.files.add(id, { relative_path, body: body(text) });
  const file = async (path: string): Promise<File> => (await registry.files.find(packageId, path))!;
  const pathOf = (stored: File) => join(localRoot(store.config), stored.locations[0]!.object_key);
  const states = async (path: string) => (await file(path)).locations.map(({ state }) => state);

  it('reads everything once, and says so in the log', async () => {
    const run = await store.operator.verifyStorage('local');
    assert.equal(run.objects, 20);
    assert.equal(run.bytes, new Set(texts).size === 20 ? texts.join('').length : 0);
    assert.deepEqual([run.failed, run.missing, run.cleared, run.resumed], [0, 0, 0, false]);
    assert.deepEqual(await states('f7'), ['verified']);
    const { items } = await registry.events.page({ event_type: 'v1.storage.location_verified' });
    assert.equal(items.length, 1);
    assert.equal((items[0]!.payload as { location_ids: string[] }).location_ids.length, 21);
    const { started_at } = run;
    assert.equal((await store.operator.verifyStorage('local', { notVerifiedSince: started_at })).objects, 0);
    // One more file with bytes that were read: the object was verified, whoever shares it since.
    await add(packageId, 'same as f4', texts[4]!);
    assert.equal((await store.operator.verifyStorage('local', { notVerifiedSince: started_at })).objects, 0);
    await assert.rejects(store.operator.verifyStorage('elsewhere'), (error) => isArtifactstoreError(error, 'invalid_value'));
  });

  it('finds what was altered and what is gone, clears what is good again, and is repaired by a push', async () => {
    const altered = await file('f3');
    const gone = await file('f5');
    await writeFile(pathOf(altered), texts[3]!.replace('content', 'kontent'));
    await rm(pathOf(gone));
    const failures: string[] = [];
    const run = await store.operator.verifyStorage('local', { onFailure: (failure) => failures.push(failure.object_key) });
    assert.deepEqual([run.objects, run.failed, run.missing], [20, 1, 1]);
    assert.deepEqual(failures.sort(), [altered, gone].map((stored) => stored.locations[0]!.object_key).sort());
    assert.deepEqual(await states('same as f3'), ['failed']);
    const health = await registry.health();
    assert.equal(health.status, 'degraded');
    assert.equal(health.backend.failed_locations, 3);
    await assert.rejects(registry.files.open({ file_id: altered.id }), (error) => isArtifactstoreError(error, 'integrity_failure'));

    // The same bad objects are no news the second time.
    const { last_sequence } = await registry.events.page({ limit: 1 });
    assert.deepEqual((await store.operator.verifyStorage('local')).failed, 1);
    const news = (await registry.events.page({ since: last_sequence })).items.map(({ payload }) => (payload as { result: string }).result);
    assert.deepEqual(news, ['ok']);

    await writeFile(pathOf(gone), texts[5]!);
    assert.equal((await store.operator.verifyStorage('local')).cleared, 1);
    assert.deepEqual(await states('f5'), ['verified']);

    const other = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record.id;
    await add(other, 'f', texts[3]!);
    assert.deepEqual(await states('same as f3'), ['stored']);
    assert.equal((await file('f3')).locations[0]!.object_key, `${altered.locations[0]!.object_key}.1`);
    assert.equal((await store.operator.verifyStorage('local')).failed, 0);
    assert.equal((await registry.health()).status, 'ok');
  });

  it('goes on past an object that cannot be read', async () => {
    const { locations, content_address } = await file('f9');
    const path = join(localRoot(store.config), locations[0]!.object_key);
    await rm(path);
    await mkdir(path);
    const run = await store.operator.verifyStorage('local');
    assert.deepEqual([run.objects, run.failed + run.missing], [20, 1]);
    assert.ok((await states('f9')).includes('failed'), content_address);
    await rmdir(path);
    await writeFile(path, texts[9]!);
    assert.equal((await store.operator.verifyStorage('local')).cleared, 1);
  });

  it('goes on where a stopped run was, at the rate that it was given', async () => {
    await registry.files.addMany(
      packageId,
      (async function* () {
        for (let index = 0; index < 600; index++) yield { relative_path: `many/${index}`, body: body(`one of many: ${index}`) };
      })(),
    );
    const stop = new AbortController();
    await assert.rejects(
      store.operator.verifyStorage('local', {
        bytesPerSecond: 500_000_000,
        jobs: 1,
        signal: stop.signal,
        onProgress: ({ objects }) => {
          if (objects === 510) stop.abort(new Error('stopped'));
        },
      }),
      /stopped/,
    );
    const run = await store.operator.verifyStorage('local');
    assert.equal(run.resumed, true);
    assert.equal(run.objects, 620);
    assert.equal((await store.operator.verifyStorage('local')).resumed, false);
  });

  it('lists bytes that no event knows, and deletes them when asked to', async () => {
    const key = (await file('f8')).locations[0]!.object_key;
    const orphans = [`${key}.4`, `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`];
    for (const orphan of orphans) await writeFile(join(localRoot(store.config), orphan), 'nobody knows me');
    const listed = await store.operator.findOrphans('local');
    assert.deepEqual(listed.orphan_keys.toSorted(), orphans.toSorted());
    assert.equal(listed.deleted_orphans, 0);
    assert.equal(listed.stored_objects, listed.live_objects + 2);
    const deleted = await store.operator.findOrphans('local', { delete: true });
    assert.equal(deleted.deleted_orphans, 2);
    assert.equal(deleted.stored_bytes, deleted.live_bytes);
    assert.deepEqual((await store.operator.findOrphans('local')).orphan_keys, []);
    const health = await registry.health();
    assert.equal(health.status, 'ok');
  });
});

test('the files that claim one object are recorded in steps, and the run is there after the last of them', async () => {
  await using store = await openTwoBackends();
  const registry = store.as(administrator('tester'));
  const { id } = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
  const objects: { content_address: string; generation: number }[] = [];
  for (const [text, count] of [
    ['same', 5],
    ['other', 2],
    ['third', 1],
  ] as const)
    for (let index = 0; index < count; index++) {
      const body = (async function* () {
        yield Buffer.from(text);
      })();
      const { record } = await registry.files.add(id, { relative_path: `${text}/${index}`, body });
      if (index === 0) objects.push({ content_address: record.content_address, generation: 0 });
    }
  const failed = objects[0]!;
  await store.database.write('object.fail', { actor: 'a', backend_id: 'near', ...failed, reason: 'bad' });
  const progress = { run_id: 'run', cursor: 'c', started_at: '2026-01-01T00:00:00.000000Z', detail: '{}' };
  let steps = 0;
  let cleared = 0;
  for (let after: LocationPlace | null = null; ; steps++) {
    assert.equal(await store.database.read('verify.progress', { backend_id: 'near' }), undefined);
    const step: { cleared: number; next: LocationPlace | null } = await store.database.write('verify.record', {
      actor: 'a',
      backend_id: 'near',
      objects,
      progress,
      after,
      limit: 3,
    });
    cleared += step.cleared;
    after = step.next;
    if (after === null) break;
  }
  assert.deepEqual([steps, cleared], [2, 1]);
  assert.deepEqual(await store.database.read('verify.progress', { backend_id: 'near' }), progress);
  const { items } = await registry.files.list(id);
  assert.deepEqual(
    items.map(({ locations }) => locations.map(({ state }) => state)),
    items.map(() => ['verified']),
  );
  const { items: events } = await registry.events.page({ event_type: 'v1.storage.location_verified' });
  const ids = events.flatMap(({ payload }) => {
    const { result, location_ids } = payload as { readonly result: string; readonly location_ids: readonly string[] };
    return result === 'ok' ? location_ids : [];
  });
  assert.deepEqual([ids.length, new Set(ids).size], [8, 8]);
});
