import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { connectRegistry, type RemoteRegistry, reopenable } from '../../src/client/connect.ts';
import { blake3, toHex, utf8 } from '../../src/kernel/content/digest.ts';
import { ArtifactstoreError, type ErrorCode } from '../../src/kernel/error.ts';
import { encodeCbor } from '../../src/kernel/format/cbor.ts';

const id = '01900000-0000-7000-8000-000000000000';
const bytes = Buffer.alloc(300_000, 'the bytes of a file ');
const file = { id, size_bytes: bytes.length, content_address: `blake3:${toHex(blake3(bytes))}` };

const record = {
  name: 'n',
  producer: 'p',
  subject: 's',
  retention_class: 'transient',
  status: 'created',
  metadata: {},
  created_at: '2026-01-01T00:00:00.000Z',
  file_count: 0,
  total_bytes: 0,
  package_id: id,
  relative_path: 'a',
  media_type: 'text/plain',
  digest_algorithm: 'blake3',
  digest_primary: '0',
  digest_sha256: '0',
  annotations: {},
  ...file,
};
const named = { etag: `"${file.content_address}"` };

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
      // By a clock that is not ours.
      problem(503, 'storage_unavailable', { date: 'Thu, 01 Jan 2026 00:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 00:00:01 GMT' }),
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
        json(record, 201)(request, response);
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
        json(record, 201)(request, response);
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

  test('keeps the code of a problem, and gives one to those of a newer server', async () => {
    handlers = [problem(409, 'path_conflict')];
    await refuses('path_conflict', registry.retention.classes());
    handlers = [problem(422, 'a_code_of_tomorrow')];
    await refuses('invalid_value', registry.retention.classes());
    handlers = [problem(404, 'route_not_found')];
    await refuses('route_not_found', registry.packages.get(id));
  });

  test('a problem that breaks off is asked for again', async () => {
    handlers = [
      (_request, response) => {
        response.writeHead(409, { 'content-type': 'application/problem+json', 'content-length': 500 });
        response.write('{"code":"path_conf', () => response.destroy());
      },
      json({ items: [] }),
    ];
    assert.deepEqual(await registry.retention.classes(), []);
  });

  test('goes on with a download where it broke off', async () => {
    handlers = [
      (_request, response) => {
        response.writeHead(200, { ...named, 'content-length': bytes.length });
        response.write(bytes.subarray(0, 100_000), () => response.destroy());
      },
      (request, response) => {
        const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
        assert.equal(request.headers['if-match'], `"${file.content_address}"`);
        response.writeHead(206, { ...named, 'content-range': `bytes ${first}-${last}/${bytes.length}` });
        response.end(bytes.subarray(Number(first), Number(last) + 1));
      },
    ];
    assert.equal(Buffer.compare(await collect(await registry.download(file)), bytes), 0);
    assert.equal(asked.length, 2);
    assert.match(asked[1]!, /bytes=\d+-299999$/);
  });

  test('takes the part that it asked for out of the whole, and does not ask for ever', async () => {
    const cutOff: Handler = (_request, response) => {
      response.writeHead(200, { ...named, 'content-length': bytes.length });
      response.write(bytes.subarray(0, 100_000), () => response.destroy());
    };
    handlers = [cutOff, (_request, response) => void response.writeHead(200, named).end(bytes)];
    assert.equal(Buffer.compare(await collect(await registry.download(file)), bytes), 0);
    handlers = [(_request, response) => void response.writeHead(206, { ...named, 'content-range': 'bytes 1-2/3' }).end('ab')];
    await refuses('unexpected_answer', registry.download(file).then(collect));
    handlers = [cutOff];
    asked = [];
    await refuses('server_unreachable', registry.download(file).then(collect));
    assert.ok(asked.length <= 5, String(asked.length));
  });

  test('never gives out bytes that are wrong as if they were right', async () => {
    const wrong = Buffer.from(bytes);
    wrong[bytes.length - 1]! ^= 1;
    const answers = [
      [wrong, named, 'integrity_failure'],
      [bytes, { etag: `"blake3:${'0'.repeat(64)}"` }, 'integrity_failure'],
      [bytes.subarray(0, -1), { ...named, 'content-length': String(bytes.length - 1) }, 'unexpected_answer'],
      [Buffer.concat([bytes, bytes]), named, 'unexpected_answer'],
      [Buffer.concat([bytes, bytes]), { ...named, 'transfer-encoding': 'chunked' }, 'unexpected_answer'],
      [bytes.subarray(0, -1), { ...named, 'transfer-encoding': 'chunked' }, 'server_unreachable'],
      [bytes, {}, 'unexpected_answer'],
      [bytes, { ...named, 'content-encoding': 'gzip' }, 'unexpected_answer'],
    ] as const;
    for (const [answer, headers, code] of answers) {
      handlers = [(_request, response) => void response.writeHead(200, headers).end(answer)];
      let received = 0;
      await assert.rejects(async () => {
        for await (const chunk of await registry.download(file)) received += chunk.length;
      }, coded(code));
      assert.ok(received < bytes.length, `${code}: ${received}`);
    }
  });

  test('refuses a manifest that is not what its digest says', async () => {
    const manifest = encodeCbor({ manifest_version: 1 });
    handlers = [
      (_request, response) =>
        void response.writeHead(200, { etag: `"blake3:${'0'.repeat(64)}"`, 'content-type': 'application/cbor' }).end(manifest),
    ];
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
    void response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ status, code, title: code, detail: `it is ${code}` }));
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
