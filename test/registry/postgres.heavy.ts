import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCbor } from '../../src/kernel/format/cbor.ts';
import { registryConformance } from '../../src/registry/conformance.ts';
import { startPostgres } from '../postgres-server.ts';
import { openTestRegistry } from './open-registry.ts';

registryConformance('in process, PostgreSQL and local disk', async () => {
  const server = await startPostgres();
  const store = await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() });
  return {
    registry: store.as('tester'),
    as: store.as,
    async close() {
      await store.close();
      await server.stop();
    },
  };
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
