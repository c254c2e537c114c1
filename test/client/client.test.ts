import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { connectRegistry, type RemoteRegistry, reopenable } from '../../src/client/connect.ts';
import { encodeCbor } from '../../src/kernel/cbor.ts';
import { blake3, toHex, utf8 } from '../../src/kernel/digest.ts';
import { ArtifactstoreError, type ErrorCode } from '../../src/kernel/error.ts';

const id = '01900000-0000-7000-8000-000000000000';
const bytes = Buffer.alloc(300_000, 'the bytes of a file ');
const file = { id, size_bytes: bytes.length, content_address: `blake3:${toHex(blake3(bytes))}` };

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the client makes of servers that stumble: a real HTTP server whose every answer the test chooses. */
describe('the client', () => {
  let server: Server;
  let registry: RemoteRegistry;
  let handlers: Handler[];
  let asked: string[];
  let retries: number[];

  beforeEach(async () => {
    handlers = [];
    asked = [];
    retries = [];
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim());
      const handler = handlers.length > 1 ? handlers.shift()! : handlers[0]!;
      handler(request, response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`;
    registry = connectRegistry({ url, token: 't', onRetry: (_error, seconds) => void retries.push(seconds) });
  });
  afterEach(async () => {
    await registry.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('waits as long as Retry-After says, and sends what can be repeated again', async () => {
    handlers = [
      problem(503, 'database_unavailable', { 'retry-after': '0' }),
      problem(503, 'storage_unavailable', { 'retry-after': '1' }),
      json({ items: [] }),
    ];
    assert.deepEqual(await registry.retention.classes(), []);
    assert.deepEqual(asked, Array(3).fill('GET /prefix/retention-classes'));
    assert.ok(retries[0]! < 1);
    assert.equal(retries[1], 1);
  });

  test('does not repeat what might be done twice', async () => {
    handlers = [(request) => request.socket.destroy()];
    const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    await refuses('server_unreachable', registry.packages.create(input));
    assert.equal(asked.length, 1);
  });

  test('repeats a creation that has a key, with the same key', async () => {
    const keys: unknown[] = [];
    handlers = [
      (request) => {
        keys.push(request.headers['idempotency-key']);
        request.socket.destroy();
      },
      (request, response) => {
        keys.push(request.headers['idempotency-key']);
        json({ id }, 201)(request, response);
      },
    ];
    const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    // The first contact is given a second, which is enough.
    assert.equal((await registry.packages.create(input, { idempotencyKey: 'k' })).record.id, id);
    assert.deepEqual(keys, ['k', 'k']);
  });

  test('sends a long body again when it can be opened again, and not when it can not', async () => {
    let opened = 0;
    const body = reopenable(async function* () {
      opened += 1;
      for (let sent = 0; sent < 8; sent += 1) yield bytes;
    });
    const received: number[] = [];
    const take: Handler = (request, response) => {
      let length = 0;
      request.on('data', (chunk: Uint8Array) => {
        length += chunk.length;
      });
      request.on('end', () => {
        received.push(length);
        json({ id }, 201)(request, response);
      });
    };
    const breakOff: Handler = (request) => void request.once('data', () => request.socket.destroy());
    handlers = [breakOff, take];
    await registry.files.add(id, { relative_path: 'a', body, size_bytes: 8 * bytes.length });
    assert.equal(opened, 2);
    assert.deepEqual(received, [8 * bytes.length]);
    handlers = [breakOff, take];
    await refuses('server_unreachable', registry.files.add(id, { relative_path: 'a', body: body.open() }));
    assert.equal(received.length, 1);
  });

  test('keeps the code of a problem, and gives one to answers that have none', async () => {
    handlers = [problem(409, 'path_conflict')];
    await refuses('path_conflict', registry.retention.classes());
    handlers = [problem(422, 'a_code_of_tomorrow')];
    await refuses('invalid_value', registry.retention.classes());
    handlers = [(_request, response) => void response.writeHead(403).end('<html>no</html>')];
    await refuses('forbidden', registry.retention.classes());
    handlers = [(_request, response) => void response.writeHead(200).end('<html>hello</html>')];
    await refuses('internal', registry.retention.classes());
    handlers = [problem(404, 'route_not_found')];
    await refuses('route_not_found', registry.packages.get(id));
  });

  test('goes on with a download where it broke off', async () => {
    handlers = [
      (_request, response) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 100_000), () => response.destroy());
      },
      (request, response) => {
        const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
        assert.equal(request.headers['if-match'], `"${file.content_address}"`);
        response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}` });
        response.end(bytes.subarray(Number(first), Number(last) + 1));
      },
    ];
    assert.equal(Buffer.compare(await collect(await registry.download(file)), bytes), 0);
    assert.equal(asked.length, 2);
    assert.match(asked[1]!, /bytes=\d+-299999$/);
  });

  test('never gives out bytes that are wrong as if they were right', async () => {
    const wrong = Buffer.from(bytes);
    wrong[bytes.length - 1]! ^= 1;
    const answers: readonly Uint8Array[] = [wrong, bytes.subarray(0, -1), Buffer.concat([bytes, bytes])];
    for (const answer of answers) {
      handlers = [(_request, response) => void response.end(answer)];
      let received = 0;
      await assert.rejects(async () => {
        for await (const chunk of await registry.download(file)) received += chunk.length;
      }, coded('integrity_failure'));
      assert.notEqual(received, bytes.length);
    }
  });

  test('refuses a manifest that is not what its digest says', async () => {
    const manifest = encodeCbor({ manifest_version: 1 });
    handlers = [(_request, response) => void response.writeHead(200, { etag: `"blake3:${'0'.repeat(64)}"` }).end(manifest)];
    await refuses('integrity_failure', registry.packages.manifest(id));
  });

  test('holds files of a batch to what they declare, and names the one that differs', async () => {
    handlers = [json({ items: [] }, 201)];
    async function* files() {
      yield { relative_path: 'right', body: bodyOf('right'), size_bytes: 5 };
      yield { relative_path: 'wrong', body: bodyOf('wrong'), digests: new Map([['sha256', new Uint8Array(32)]]) };
    }
    await assert.rejects(
      registry.files.addMany(id, files()),
      (error) => coded('digest_mismatch')(error) && (error as ArtifactstoreError).field === 'wrong',
    );
    assert.deepEqual(asked, []);
  });

  test('stops when it is told to', async () => {
    const controller = new AbortController();
    handlers = [() => controller.abort()];
    await refuses('cancelled', registry.events.page({ wait_seconds: 60 }, controller.signal));
  });

  test('says that nobody is there', async () => {
    const nobody = connectRegistry({ url: 'http://127.0.0.1:1', patienceSeconds: 0 });
    await refuses('server_unreachable', nobody.health());
    await nobody.close();
  });
});

function json(value: unknown, status = 200): Handler {
  return (_request, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function problem(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_request, response) =>
    void response.writeHead(status, headers).end(JSON.stringify({ status, code, title: code, detail: `it is ${code}` }));
}

async function refuses(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, coded(code));
}

function coded(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ArtifactstoreError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

async function* bodyOf(text: string): AsyncIterable<Uint8Array> {
  yield utf8(text);
}
