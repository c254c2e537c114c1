import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectRegistry } from '../../../src/client/connect.ts';
import { pullPackage } from '../../../src/client/pull/pull-package.ts';
import { pushDirectory } from '../../../src/client/push/push-directory.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { describeTree } from '../../cli/tree.ts';
import { type OpenServer, openServer } from '../open-server.ts';

type Change = (request: IncomingMessage, response: ServerResponse, answer: () => Promise<Response>) => Promise<void>;

describe('a pull of many small files', () => {
  let server: OpenServer;
  let id: string;
  let source: string;
  /** What was asked for, without the manifest. */
  let asked: string[] = [];
  const target = (): string => join(server.directory, 'target');
  const names = Array.from({ length: 28 }, (_, index) => `folder ${index % 7}/${'ü'.repeat(index)}${index}`);
  before(async () => {
    server = await openServer();
    source = join(server.directory, 'source');
    for (const [index, name] of names.entries()) {
      mkdirSync(dirname(join(source, name)), { recursive: true });
      writeFileSync(join(source, name), `${index}`.repeat(index), { mode: index % 5 === 0 ? 0o755 : 0o644 });
    }
    // In the middle, so that there are two batches.
    writeFileSync(join(source, 'folder 3/long'), Buffer.alloc(300_000, 7));
    ({ package_id: id } = await pushDirectory(server.connect(), source, {
      name: 'n',
      producer: 'p',
      subject: 's',
      retention_class: 'transient',
    }));
  });
  afterEach(() => rmSync(target(), { recursive: true, force: true }));
  after(() => server.close());

  /** Pulls through a proxy that changes the answers to POST, or those to another method. */
  async function pull(change?: Change, jobs = 8, changed: (request: IncomingMessage) => boolean = ({ method }) => method === 'POST') {
    asked = [];
    const proxy = createServer((request, response) => {
      const { method = '', url = '' } = request;
      if (!url.includes('/manifest')) asked.push(`${method} ${url.replaceAll(/[0-9a-f-]{36}/g, 'ID')}`);
      const answer = async (): Promise<Response> => {
        const body = Buffer.concat(await Array.fromAsync(request));
        const headers = { authorization: request.headers.authorization ?? '', 'content-type': request.headers['content-type'] ?? '' };
        return await fetch(`${server.url}${url}`, { method, headers, ...(method === 'POST' ? { body } : {}) });
      };
      void (change !== undefined && changed(request) ? change(request, response, answer) : passOn(response, answer));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    await using registry = connectRegistry({
      url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      token: server.token,
      patienceSeconds: 5,
    });
    try {
      let done = 0;
      const onDone = (bytes: number): void => {
        done += bytes;
      };
      const pulled = await pullPackage(registry, id, target(), { manifest: false, jobs, onDone });
      assert.equal(done, pulled.total_bytes);
      assert.deepEqual(describeTree(target()), describeTree(source));
      return pulled;
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  }

  async function passOn(response: ServerResponse, answer: () => Promise<Response>, change = (bytes: Buffer): Buffer => bytes) {
    const answered = await answer();
    const bytes = change(Buffer.from(await answered.arrayBuffer()));
    response.writeHead(answered.status, Object.fromEntries([...answered.headers, ['content-length', String(bytes.length)]]));
    response.end(bytes);
  }

  const download = 'GET /files/ID/download';
  const archive = 'POST /packages/ID/archive';

  test('brings them in few answers, and a long one alone', async () => {
    const pulled = await pull();
    assert.equal(pulled.written_files, 29);
    assert.deepEqual(asked.sort(), [download, archive, archive]);
  });

  test('brings them one by one from a server that does not know the request, and asks that once', async () => {
    for (const [status, code] of [
      [405, 'method_not_allowed'],
      [404, 'route_not_found'],
    ] as const) {
      await pull(async (_request, response) => {
        response.writeHead(status, { 'content-type': 'application/problem+json' });
        response.end(JSON.stringify({ type: 'about:blank', title: 't', status, detail: 'There is none.', code, request_id: 'r' }));
      }, 1);
      assert.deepEqual(asked.filter((each) => each === archive).length, 1);
      assert.equal(asked.filter((each) => each === download).length, 29);
      rmSync(target(), { recursive: true });
    }
  });

  test('brings them one by one where something else answers, or the answer is not of these files or is cut short', async () => {
    const changes: readonly Change[] = [
      async (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Log in.</p>'),
      (_request, response, answer) => passOn(response, answer, (bytes) => Buffer.concat([bytes, Buffer.alloc(512)])),
      (_request, response, answer) => passOn(response, answer, (bytes) => bytes.subarray(0, 4096)),
      async (_request, response, answer) => {
        const answered = await answer();
        response.writeHead(200, Object.fromEntries(answered.headers));
        response.write(Buffer.from(await answered.arrayBuffer()).subarray(0, 4000), () => response.destroy());
      },
    ];
    for (const [index, change] of changes.entries()) {
      await pull(change);
      assert.equal(asked.filter((each) => each === download).length, 29, `${index}`);
      rmSync(target(), { recursive: true });
    }
  });

  test('gives no name to a wrong file, names it, and says how many are right', async () => {
    const change: Change = (_request, response, answer) =>
      passOn(response, answer, (bytes) => {
        const at = bytes.indexOf('2727');
        if (at > 0) bytes[at] = 0x33;
        return bytes;
      });
    await assert.rejects(pull(change), (error) => {
      assert.ok(isArtifactstoreError(error, 'integrity_failure'));
      assert.match(error.message, /"folder \d\/ü+27".* are wrong: SHA-256/);
      const { right_files, file_count } = error.info as { readonly right_files: number; readonly file_count: number };
      const files = describeTree(target()).size;
      assert.ok(right_files > 0 && right_files < 29 && file_count === 29, `${right_files}`);
      assert.equal(right_files, files);
      return true;
    });
  });

  test('gives no name to a wrong file that came alone', async () => {
    const change: Change = (_request, response, answer) => passOn(response, answer, (bytes) => bytes.fill(6, 299_999));
    const isDownload = ({ url = '' }: IncomingMessage): boolean => url.endsWith('/download');
    await assert.rejects(pull(change, 8, isDownload), (error) => {
      assert.ok(isArtifactstoreError(error, 'integrity_failure'));
      assert.match(error.message, /"folder 3\/long" are wrong: SHA-256/);
      assert.equal(describeTree(target()).has('folder 3/long'), false);
      return true;
    });
  });

  test('resumed, brings only what is not there, and sets modes right', async () => {
    await using registry = server.connect();
    await pullPackage(registry, id, target(), { manifest: false });
    for (const name of names.slice(0, 5)) rmSync(join(target(), name));
    writeFileSync(join(target(), names[20]!), 'wrong');
    const again = await pullPackage(registry, id, target(), { manifest: false, force: true });
    assert.equal(again.written_files, 6);
    assert.deepEqual(describeTree(target()), describeTree(source));
    assert.equal(readFileSync(join(target(), names[20]!), 'utf8'), '20'.repeat(20));
  });
});
