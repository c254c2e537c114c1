import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { type OpenServer, openServer } from './open-server.ts';

describe('files over the wire', () => {
  let server: OpenServer;
  let remote: Registry;
  let local: Registry;
  before(async () => {
    server = await openServer();
    remote = server.connect();
    local = server.store.as('tester');
  });
  after(() => server.close());

  test('a file of a collected package has its record, as in process, and no bytes', async () => {
    const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    const { id } = (await remote.packages.create(input)).record;
    await remote.files.add(id, { relative_path: 'a/b', body: body() });
    await remote.packages.abandon(id);
    await server.store.operator.collect();
    const found = await remote.files.find(id, 'a/b');
    assert.equal(found?.locations[0]?.state, 'deleted');
    assert.deepEqual(found, await local.files.find(id, 'a/b'));
    const target = { package_id: id, relative_path: 'a/b' };
    for (const registry of [remote, local])
      await assert.rejects(registry.files.open(target), (error) => isArtifactstoreError(error, 'package_collected'));
    assert.equal(await remote.files.find(id, 'a'), undefined);
  });
});

async function* body(): AsyncIterable<Uint8Array> {
  yield Buffer.from('soon gone');
}
