import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connectRegistry } from '../../src/client/connect.ts';
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
      for (const ask of [() => registry.files.open(target), () => registry.files.stat(target)])
        await assert.rejects(ask, (error) => isArtifactstoreError(error, 'package_collected'));
    assert.equal(await remote.files.find(id, 'a'), undefined);
  });

  test('a page in between that answers for the bytes says neither that they are there nor that they are not', async () => {
    const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    const { record } = await local.files.add((await local.packages.create(input)).record.id, { relative_path: 'a', body: body() });
    for (const status of [200, 404]) {
      const page = createServer((request, response) => {
        const forBytes = request.url?.endsWith('/download') === true;
        response.writeHead(forBytes ? status : 200, { 'content-type': forBytes ? 'text/html' : 'application/json' });
        response.end(JSON.stringify(record));
      });
      await once(page.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
      await using asked = connectRegistry({ url, token: 'a-token' });
      await assert.rejects(asked.files.stat({ file_id: record.id }), (error) => isArtifactstoreError(error, 'unexpected_answer'));
      page.closeAllConnections();
      page.close();
    }
  });
});

async function* body(): AsyncIterable<Uint8Array> {
  yield Buffer.from('soon gone');
}
