import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { s3Settings } from '../s3-stand-in/settings.ts';
import { openStrictStore, type StrictStore } from '../s3-stand-in/strict-store.ts';
import { openTestRegistry, type TestRegistry } from './open-registry.ts';

const both = { ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3', ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'far:*=s3' };
const localOnly = { ARTIFACTSTORE_STORAGE_BACKENDS: 'local', ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: '' };

test('a backend that files lie in and that is configured no longer', async () => {
  await using bucket = await openStrictStore();
  const settings = {
    ...s3Settings(bucket),
    ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml',
  };
  let store = await openTestRegistry(
    { ...settings, ...both },
    { 'retention.toml': '[retention_classes.blink]\ndefault_duration_seconds = 1\n' },
  );
  try {
    const [far, near, kept] = [
      await push(store, 'far', 'blink'),
      await push(store, 'near', 'blink'),
      await push(store, 'far', 'transient'),
    ];
    await sleep(1100);
    await store.operator.sweep();

    store = await store.reopen(localOnly);
    const health = await store.as('tester').health();
    assert.equal(health.status, 'degraded');
    assert.deepEqual(
      health.backends.map(({ backend_id, healthy }) => [backend_id, healthy]),
      [
        ['local', true],
        ['s3', false],
      ],
    );
    assert.match(health.backends[1]!.detail, /is not configured, and files lie there/);
    await assert.rejects(store.as('tester').files.open({ file_id: kept.file }), {
      code: 'storage_unavailable',
      message: /backend s3 is not configured/,
    });

    for (let run = 0; run < 2; run++) {
      const collection = await store.operator.collect();
      assert.deepEqual([...collection.collected_package_ids].sort(), run === 0 ? [far.id, near.id].sort() : []);
      assert.deepEqual(collection.left_over, [{ backend_id: 's3', objects: 1 }]);
      assert.deepEqual(
        collection.backends.map(({ backend_id, stored_objects }) => [backend_id, stored_objects]),
        [['local', 0]],
      );
    }
    assert.equal(objectsOf(bucket).length, 2);

    store = await store.reopen(both);
    assert.equal((await store.as('tester').health()).status, 'ok');
    assert.deepEqual((await store.operator.collect()).left_over, []);
    assert.equal(objectsOf(bucket).length, 1);
    assert.ok((await Array.fromAsync((await store.as('tester').files.open({ file_id: kept.file }))!.body)).length > 0);
  } finally {
    await store.close();
  }
});

test('a backend that small files are held for and that is configured no longer', async () => {
  await using bucket = await openStrictStore();
  let store = await openTestRegistry({ ...s3Settings(bucket), ...both, ARTIFACTSTORE_SMALL_OBJECT_BYTES: '65536' });
  const s3Health = async () => (await store.as('tester').health()).backends.find(({ backend_id }) => backend_id === 's3')!;
  try {
    // A store that the process has not used yet gets its files the direct way.
    await push(store, 'far', 'transient');
    await store.operator.settleHeld();
    bucket.setFaults({ resetConnection: true });
    const held = await push(store, 'far', 'transient');
    assert.equal((await s3Health()).held_objects, 1);

    store = await store.reopen(localOnly);
    bucket.setFaults(undefined);
    const { healthy, held_objects, detail } = await s3Health();
    assert.deepEqual([healthy, held_objects], [false, 1]);
    assert.match(detail, /is not configured, .* The database has the only bytes of some of them/);
    await assert.rejects(store.as('tester').files.open({ file_id: held.file }), { code: 'storage_unavailable' });
    assert.equal(await store.operator.settleHeld(), 0);
    await push(store, 'near', 'transient');
    await store.operator.replay();
    assert.equal((await s3Health()).held_objects, 1);

    store = await store.reopen(both);
    assert.equal(await store.operator.settleHeld(), 1);
    assert.equal((await s3Health()).held_objects, 0);
    assert.equal((await store.as('tester').health()).status, 'ok');
    assert.equal(objectsOf(bucket).length, 2);
    const opened = await store.as('tester').files.open({ file_id: held.file });
    assert.ok(Buffer.concat(await Array.fromAsync(opened!.body)).equals(held.bytes));
  } finally {
    await store.close();
  }
});

/** Without its marker. */
function objectsOf(bucket: StrictStore): readonly string[] {
  return bucket.objects('artifacts').filter((key) => key !== 'registry.json');
}

async function push(
  store: TestRegistry,
  producer: string,
  retention_class: string,
): Promise<{ readonly id: string; readonly file: string; readonly bytes: Buffer }> {
  const registry = store.as('tester');
  const { id } = (await registry.packages.create({ name: 'n', producer, subject: 's', retention_class })).record;
  const bytes = randomBytes(1000);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const { record } = await registry.files.add(id, { relative_path: 'a', body: body() });
  await registry.packages.finalize(id);
  return { id, file: record.id, bytes };
}
