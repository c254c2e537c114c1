import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connectRegistry } from '../../../src/client/connect.ts';
import { pushDirectory } from '../../../src/client/push/push-directory.ts';
import { blake3 } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { iterate } from '../../../src/registry/small-body.ts';
import { type OpenServer, openServer } from '../open-server.ts';

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const mebibyte = 1_048_576;

/** A line to the server that changes one byte, as often as it is told to, so far into what a connection sends. */
async function openLine(url: string, at: number) {
  const state = { changes: 0, refusals: 0 };
  const { port } = new URL(url);
  const line = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    let sent = 0;
    client.on('data', (chunk: Buffer) => {
      if (state.changes > 0 && sent <= at && sent + chunk.length > at) {
        chunk.writeUInt8(chunk.readUInt8(at - sent) ^ 1, at - sent);
        state.changes -= 1;
      }
      sent += chunk.length;
      server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      if (chunk.includes('block_digest_mismatch')) state.refusals += 1;
      client.write(chunk);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on('error', () => other.destroy()).once('close', () => other.destroy());
  }).listen(0, '127.0.0.1');
  await once(line, 'listening');
  return { state, url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`, close: () => line.close() };
}

async function beginUpload({ url, token }: OpenServer, expected_size_bytes: number): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/uploads`, { method: 'POST', headers, body: JSON.stringify({ expected_size_bytes }) });
  return ((await answer.json()) as { readonly id: string }).id;
}

async function patchUpload({ url, token }: OpenServer, id: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/partial-upload', 'upload-offset': '0' };
  const answer = await fetch(`${url}/uploads/${id}`, { method: 'PATCH', headers: { ...headers, 'upload-complete': '?0' }, body });
  assert.equal(answer.status, 204);
}

describe('a push that says what each MiB is', () => {
  let server: OpenServer;
  before(async () => {
    server = await openServer();
  });
  after(() => server.close());

  test('sends one that the line changed again, and nothing before it', async () => {
    const tree = join(server.directory, 'tree');
    mkdirSync(tree);
    const bytes = randomBytes(20 * mebibyte + 5);
    writeFileSync(join(tree, 'large.bin'), bytes);
    const line = await openLine(server.url, 6 * mebibyte);
    try {
      line.state.changes = 1;
      const registry = connectRegistry({ url: line.url, token: server.token });
      const offsets: number[] = [];
      let done = 0;
      const onDone = (more: number): void => {
        done += more;
        offsets.push(done);
      };
      const { package_id } = await pushDirectory(registry, tree, input, { cacheDirectory: join(server.directory, 'cache'), onDone });
      assert.deepEqual(line.state, { changes: 0, refusals: 1 });
      const file = (await registry.files.find(package_id, 'large.bin'))!;
      assert.equal(file.content_address, `blake3:${Buffer.from(blake3(bytes)).toString('hex')}`);
      const back = offsets.find((offset, index) => offset < (offsets[index - 1] ?? 0))!;
      assert.ok(back >= 5 * mebibyte && back <= 6 * mebibyte, `it was continued at ${back}`);
      await registry.close();
    } finally {
      line.close();
    }
  });

  test('ends with that where the same MiB is wrong again', async () => {
    const registry = server.connect();
    const { id } = (await registry.packages.create(input)).record;
    const bytes = randomBytes(3 * mebibyte);
    const block_digests = new Uint8Array(Buffer.concat([0, 1, 2].map((n) => blake3(bytes.subarray(n * mebibyte, (n + 1) * mebibyte)))));
    bytes.writeUInt8(bytes.readUInt8(2 * mebibyte) ^ 1, 2 * mebibyte);
    const content_address = `blake3:${Buffer.from(blake3(bytes)).toString('hex')}`;
    let sent = 0;
    const from = (offset: number) => {
      sent += 1;
      return iterate([bytes.subarray(offset)]);
    };
    const file = { relative_path: 'a', size_bytes: bytes.length, content_address, media_type: 'text/plain', block_digests, from };
    const options = { signal: new AbortController().signal, onOffset: () => undefined };
    const isThird = (error: unknown): boolean => isArtifactstoreError(error, 'block_digest_mismatch') && error.info?.block_index === 2;
    await assert.rejects(registry.addResumable(id, file, options), isThird);
    assert.equal(sent, 2);
    await registry.close();
  });

  test('says it also of the rest of a MiB in which an earlier push was stopped', async () => {
    const registry = server.connect();
    const { id } = (await registry.packages.create(input)).record;
    const bytes = randomBytes(3 * mebibyte);
    const there = mebibyte + mebibyte / 2;
    const begun = await beginUpload(server, bytes.length);
    await patchUpload(server, begun, bytes.subarray(0, there));
    const block_digests = new Uint8Array(Buffer.concat([0, 1, 2].map((n) => blake3(bytes.subarray(n * mebibyte, (n + 1) * mebibyte)))));
    const read: number[] = [];
    const from = (offset: number) => {
      read.push(offset);
      const rest = Buffer.from(bytes.subarray(offset));
      // The first reading is for the digest, the second goes over the line.
      if (read.length === 2) rest.writeUInt8(rest.readUInt8(7) ^ 1, 7);
      return iterate([rest]);
    };
    const content_address = `blake3:${Buffer.from(blake3(bytes)).toString('hex')}`;
    const file = { relative_path: 'a', size_bytes: bytes.length, content_address, media_type: 'text/plain', block_digests, from };
    const known = { find: () => begun, remember: () => undefined, forget: () => undefined };
    const options = { known, signal: new AbortController().signal, onOffset: () => undefined };
    const { record } = await registry.addResumable(id, file, options);
    assert.equal(record.content_address, content_address);
    assert.deepEqual(read, [there, there, there, there]);
    await registry.close();
  });
});
