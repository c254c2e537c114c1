import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { test } from 'node:test';
import { openStore, type Store } from '../../src/compose/open-store.ts';
import { decodeCbor } from '../../src/kernel/format/cbor.ts';
import { registryConformance } from '../../src/registry/conformance.ts';
import { startPostgres } from '../postgres-server.ts';
import { localRoot, openTestRegistry } from './open-registry.ts';

for (const held of ['65536', '0'])
  registryConformance(`in process, PostgreSQL and local disk, with files of up to ${held} bytes held`, async () => {
    const server = await startPostgres();
    const store = await openTestRegistry({
      ARTIFACTSTORE_DATABASE_URL: await server.createDatabase(),
      ARTIFACTSTORE_SMALL_OBJECT_BYTES: held,
    });
    return {
      registry: store.as('tester'),
      as: store.as,
      async close() {
        await store.close();
        await server.stop();
      },
    };
  });

test('what one process holds, another reads and settles', async () => {
  const server = await startPostgres();
  const environment = { ARTIFACTSTORE_DATABASE_URL: await server.createDatabase(), ARTIFACTSTORE_SMALL_OBJECT_BYTES: '65536' };
  await using store = await openTestRegistry(environment);
  try {
    await using other = await openStore(store.config);
    const registry = store.as('tester');
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    const short = ['', 'a', 'b'.repeat(65_536)];
    const earlier = ['c'.repeat(65_537), 'settled'];
    const texts = [...short, ...earlier];
    const add = async (text: string) =>
      await registry.files.add(record.id, {
        relative_path: `f${text.length}`,
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      });
    for (const text of earlier) await add(text);
    await store.operator.settleHeld();
    // While the storage is unavailable none of them settles anything by itself.
    const root = localRoot(store.config);
    await rename(root, `${root}-away`);
    for (const text of short) await add(text);
    const read = async (by: Store, text: string) => {
      const opened = await by.as('reader').files.open({ package_id: record.id, relative_path: `f${text.length}` });
      return Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString();
    };
    for (const text of short) assert.equal(await read(other, text), text);
    const { backend } = await other.as('reader').health();
    assert.deepEqual([backend.held_objects, backend.held_bytes], [3, 65_537]);
    await rename(`${root}-away`, root);
    await Promise.all([other.operator.settleHeld(), store.operator.settleHeld()]);
    assert.equal((await other.as('reader').health()).backend.held_objects, 0);
    for (const text of texts) for (const by of [store, other]) assert.equal(await read(by, text), text);
    const { objects, missing, failed } = await other.operator.verifyStorage('local');
    assert.deepEqual([objects, missing, failed], [5, 0, 0]);
  } finally {
    await store.close();
    await server.stop();
  }
});

test('a payload that is longer than a page is read in stretches', async () => {
  const server = await startPostgres();
  const store = await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() });
  try {
    const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    const registry = store.as('tester');
    const { record } = await registry.packages.create({ ...input, metadata: { text: 'ü'.repeat(2_500_000) } });
    const query = { subject_id: record.id, limit: 1 } as const;
    const { long, bytes } = await registry.events.encodedPage(query);
    assert.ok(bytes.length < 1_000);
    const stretches: Uint8Array[] = [];
    for (let from = 0; from < long!.size_bytes; from += stretches.at(-1)!.length) stretches.push(await long!.read(from));
    assert.equal(stretches.length, 2);
    assert.deepEqual(decodeCbor(Buffer.concat(stretches)), (await registry.events.page(query)).items[0]!.payload);
  } finally {
    await store.close();
    await server.stop();
  }
});
