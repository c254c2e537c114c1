import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { createStorePut } from '../../../src/client/wire/store-put.ts';
import type { WriteHandle } from '../../../src/registry/REGISTRY.ts';

const servers: Server[] = [];
const put = createStorePut('https://registry.example.org/artifacts');
after(async () => {
  await put.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function handleOf(url: string, headers: WriteHandle['headers'] = { 'content-length': '5', 'x-amz-content-sha256': 'abc' }): WriteHandle {
  return { method: 'PUT', url, headers, expires_at: '2026-01-01T00:00:00.000Z' };
}
const bytes = async function* (): AsyncGenerator<Uint8Array> {
  yield Buffer.from('by');
  yield Buffer.from('tes');
};
const answering = async (status: number) =>
  await serve((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end('said more'));
  });

describe('an object that is written to a store', () => {
  test('is sent as its handle says, with no token, and nothing else', async () => {
    const seen: { method?: string | undefined; url?: string | undefined; headers?: IncomingHttpHeaders; body?: string }[] = [];
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push({ method: request.method, url: request.url, headers: request.headers, body });
        response.end();
      });
    });
    assert.equal(await put.send(handleOf(`${url}/b/uploads/key%2B?X-Amz-Signature=s&a=%2F`), bytes, undefined), 'taken');
    const [{ method, url: path, headers, body } = {}] = seen;
    assert.deepEqual([method, path, body], ['PUT', '/b/uploads/key%2B?X-Amz-Signature=s&a=%2F', 'bytes']);
    assert.deepEqual(Object.keys(headers!).sort(), ['connection', 'content-length', 'host', 'x-amz-content-sha256']);
  });

  test('is not sent on by a redirect', async () => {
    let followed = 0;
    const other = await serve((_, response) => {
      followed += 1;
      response.end();
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const url = await serve((request, response) => {
        request.resume().on('end', () => response.writeHead(status, { location: `${other}/stolen` }).end());
      });
      assert.equal(await put.send(handleOf(`${url}/key`), bytes, undefined), 'refused');
    }
    assert.equal(followed, 0);
  });

  test('goes by https, to this machine only from a server on it, and to no address of the server itself', async () => {
    assert.ok(put.takes(handleOf('https://s3.example.org/b/k?s=1')));
    const here = ['http://127.0.0.1:9000/b/k', 'http://localhost:9000/b/k', 'http://[::1]:9000/b/k', 'https://127.0.0.1:9000/b/k'];
    const local = createStorePut('HTTP://LOCALHOST:80');
    for (const url of here) {
      assert.ok(local.takes(handleOf(url)), url);
      assert.ok(!put.takes(handleOf(url)), `${url}, chosen by another machine`);
    }
    assert.ok(!local.takes(handleOf('http://localhost/write-sessions/id/objects/a')));
    await local.close();
    for (const url of [
      'http://s3.example.org/b/k',
      'http://192.168.0.1/b/k',
      'http://127.0.0.1.example.org/b/k',
      'https://user:password@s3.example.org/b/k',
      'https://registry.example.org/artifacts/write-sessions/id/objects/a',
      'https://registry.example.org/write-sessions/id/objects/a',
      'ftp://127.0.0.1/b/k',
      'file:///etc/passwd',
      '/write-sessions/id/objects/a',
      '',
    ])
      assert.ok(!put.takes(handleOf(url)), url);
  });

  test('is refused where its handle cannot be sent as it is', async () => {
    const url = await answering(200);
    for (const headers of [
      { 'content-length': '4' },
      { 'content-length': '6' },
      { expect: '100-continue' },
      { 'transfer-encoding': 'gzip' },
      { a: 'b\r\nc: d' },
    ])
      assert.equal(await put.send(handleOf(url, headers), bytes, undefined), 'refused', JSON.stringify(headers));
  });

  test('is there, refused or unknown, as the store says', async () => {
    const conditional = { 'content-length': '5', 'if-none-match': '*' };
    const answers = [
      [200, 'taken'],
      [204, 'taken'],
      [400, 'refused'],
      [403, 'refused'],
      [404, 'refused'],
      [409, 'unavailable'],
      [412, 'refused'],
      [429, 'unavailable'],
      [500, 'unavailable'],
      [503, 'unavailable'],
    ] as const;
    for (const [status, answer] of answers)
      assert.equal(await put.send(handleOf(`${await answering(status)}/key`), bytes, undefined), answer, `${status}`);
    assert.equal(await put.send(handleOf(`${await answering(412)}/key`, conditional), bytes, undefined), 'taken');
    const cut = await serve((request) => request.socket.destroy());
    assert.equal(await put.send(handleOf(`${cut}/key`), bytes, undefined), 'unavailable');
    assert.equal(await put.send(handleOf('http://127.0.0.1:1/key'), bytes, undefined), 'unavailable');
    assert.equal(await put.send(handleOf(`${await answering(200)}/key`, { 'a b': 'c' }), bytes, undefined), 'refused');
  });

  test('is unknown where the connection is cut while its bytes wait to be sent', async () => {
    const url = await serve((request) => {
      request.pause();
      setTimeout(() => request.socket.resetAndDestroy(), 50);
    });
    const many = async function* (): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 400; sent++) yield Buffer.alloc(100_000);
    };
    for (let tries = 0; tries < 4; tries++)
      assert.equal(await put.send(handleOf(`${url}/key`, { 'content-length': '40000000' }), many, undefined), 'unavailable');
  });

  test('fails as its bytes do, and ends when it is to', async () => {
    const url = await answering(200);
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('by');
      throw new Error('the disk broke');
    };
    await assert.rejects(put.send(handleOf(`${url}/key`), broken, undefined), /the disk broke/);
    await assert.rejects(put.send(handleOf(`${url}/key`), bytes, AbortSignal.abort()), { code: 'cancelled' });
    const silent = await serve((request) => void request.resume());
    await assert.rejects(put.send(handleOf(`${silent}/key?secret=1`), bytes, AbortSignal.timeout(50)), (error: Error) => {
      assert.ok(!JSON.stringify([error, error.message, error.cause]).includes('secret'));
      return true;
    });
  });
});
