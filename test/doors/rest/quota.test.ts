import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { pack } from 'tar-stream';
import { openIdentity } from '../../../src/identity/open.ts';
import { formatTimestamp } from '../../../src/kernel/time.ts';
import type { Health } from '../../../src/registry/REGISTRY.ts';
import { actor, assertProblem, authorization, type Door, openDoor, token } from './open-door.ts';

describe('a producer that has what it may have', () => {
  let door: Door;
  let id: string;
  before(async () => {
    const identity = await openIdentity({ tokens: [{ token, actor }] });
    const status = () => ({ path: 'access.toml', loaded_at: formatTimestamp(0), refused: null, issuers: [] });
    door = await openDoor({ identity: { ...identity, status, quotaOf: () => ({ maximum_bytes: 10, maximum_packages: 1 }) } });
    id = (await door.newPackage()).id;
    assert.equal((await put('there', '12345678')).status, 201);
  });
  after(() => door[Symbol.asyncDispose]());

  const put = (path: string, body: string) => door.call(`/packages/${id}/files/${path}`, { method: 'PUT', body });
  const refused = async (response: Response, asked: number) => {
    const { info } = await assertProblem(response, 403, 'quota_exceeded');
    assert.deepEqual(info, { producer: 'p', maximum_bytes: 10, used: 8, asked });
    assert.equal((await door.registry.packages.get(id))?.file_count, 1);
  };

  it('is told so before it sends a body', async () => {
    const head = `PUT /packages/${id}/files/large HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`;
    const answer = await door.raw(`${head}content-length: 10000000\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 403 /);
    assert.match(answer, /"code":"quota_exceeded"/);
    await refused(await put('large', '123'), 3);
  });

  it('is told so in the middle of a body whose length it did not state', async () => {
    const head = `PUT /packages/${id}/files/endless HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`;
    const socket = await door.connect();
    // The last chunk never comes.
    socket.write(`${head}transfer-encoding: chunked\r\n\r\n8\r\n12345678\r\n`);
    const [answer] = await once(socket, 'data');
    socket.destroy();
    assert.match(String(answer), /^HTTP\/1\.1 403 /);
  });

  it('adds nothing of a form or an archive that does not fit', async () => {
    const form = new FormData();
    for (const name of ['a', 'b']) form.append(name, new Blob(['12']), name);
    await refused(await door.call(`/packages/${id}/files`, { method: 'POST', body: form }), 4);
    const archive = pack();
    for (const name of ['a', 'b']) archive.entry({ name }, '12');
    archive.finalize();
    const body = Buffer.concat(await Array.fromAsync(archive, (chunk) => chunk as Buffer));
    const headers = { 'content-type': 'application/x-tar' };
    await refused(await door.call(`/packages/${id}/files`, { method: 'POST', headers, body: new Uint8Array(body) }), 4);
  });

  it('can repeat what it did, and make no other package', async () => {
    assert.equal((await put('there', '12345678')).status, 200);
    const another = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    const problem = await assertProblem(await door.json('/packages', another), 403, 'quota_exceeded');
    assert.deepEqual(problem.info, { producer: 'p', maximum_packages: 1, used: 1, asked: 1 });
    const { items } = await door.registry.producers.list();
    assert.deepEqual(items, [{ producer: 'p', packages: 1, files: 1, bytes: 8, maximum_packages: 1, maximum_bytes: 10 }]);
  });

  it('is named in the health that administrators see, and is no ill health', async () => {
    const read = async () => (await (await door.call('/health')).json()) as Health;
    let health = await read();
    for (let tries = 0; health.producers === undefined && tries < 100; tries++) health = await read();
    assert.equal(health.status, 'ok');
    assert.deepEqual(health.producers, (await door.registry.producers.list()).items);
    const bare = (await (await fetch(`${door.url}/health`)).json()) as Health;
    assert.equal('producers' in bare, false);
  });
});
