import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connectionCode, connectionFault } from '../../src/runtime/connection-fault.ts';
import { createHttpClient, type HttpClientOptions } from '../../src/runtime/http-client.ts';
import { localhostCertificate } from '../stores/certificate.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handle: Handler): Promise<AsyncDisposable & { readonly address: string; readonly server: Server }> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/below`,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function faultOf(handle: Handler, options: Partial<HttpClientOptions> = {}): Promise<string | undefined> {
  await using place = await serve(handle);
  const client = createHttpClient({ address: place.address, longestBytes: 1000, ...options });
  try {
    await client.ask({ method: 'GET', path: '/', headers: {} });
    return undefined;
  } catch (error) {
    const code = connectionCode(error) ?? 'unknown';
    return connectionFault(code)?.kind ?? code;
  } finally {
    await client.close();
  }
}

test('an answer has its status, its bytes and its fields, and a redirect is one', async () => {
  const seen: unknown[] = [];
  await using place = await serve((request, response) => {
    seen.push([request.method, request.url, request.headers['user-agent'], request.headers['x-of-mine']]);
    response.writeHead(302, { location: '/elsewhere', 'x-first': ['one', 'two'] }).end('moved');
  });
  const client = createHttpClient({ address: place.address, longestBytes: 1000 });
  const answer = await client.ask({ method: 'POST', path: '/a%2Fb?c', headers: { 'x-of-mine': 'yes' }, body: '{}' });
  assert.deepEqual([answer.status, Buffer.from(answer.bytes).toString()], [302, 'moved']);
  assert.deepEqual([answer.header('location'), answer.header('x-first'), answer.header('x-none')], ['/elsewhere', 'one', undefined]);
  assert.deepEqual(seen, [['POST', '/below/a%2Fb?c', 'artifactstore', 'yes']]);
  await client.close();
});

test('an answer that is longer than it may be is not taken, whether it says so or not', async () => {
  assert.equal(await faultOf((_, response) => response.end('x'.repeat(1000))), undefined);
  assert.equal(await faultOf((_, response) => response.end('x'.repeat(1001))), 'too_long');
  const without = await faultOf((_, response) => {
    const more = setInterval(() => response.write('x'.repeat(100)), 1);
    response.once('close', () => clearInterval(more));
  });
  assert.equal(without, 'too_long');
});

test('an answer that is slow, in its head, in a pause or as a whole, is not waited for', async () => {
  const slow = { connectMilliseconds: 50, answerMilliseconds: 100 };
  assert.equal(await faultOf(() => undefined, slow), 'slow');
  assert.equal(await faultOf((_, response) => response.writeHead(200, { 'content-length': 10 }).write('x'), slow), 'slow');
  const whole = await faultOf((_, response) => {
    const more = setInterval(() => response.write('x'), 20);
    response.once('close', () => clearInterval(more));
  }, slow);
  assert.equal(whole, 'slow');
});

test('an answer that is not HTTP is told as one', async () => {
  const banners = [
    'SSH-2.0-OpenSSH_9.2\r\n',
    '\u0015\u0003\u0001\u0000\u0002\u0002',
    'HTTP/1.1 nothing\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n',
  ];
  for (const banner of banners) {
    const answer: Handler = ({ socket }) => void socket.end(banner);
    assert.equal(await faultOf(answer), 'not_http', JSON.stringify(banner));
  }
});

test('a certificate is looked at, whatever the environment says of certificates', async () => {
  const server = createTlsServer(localhostCertificate(), (_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `https://localhost:${(server.address() as AddressInfo).port}`;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const ask = async (options: Partial<HttpClientOptions>): Promise<number> => {
    const client = createHttpClient({ address, longestBytes: 1000, ...options });
    return await client
      .ask({ method: 'GET', path: '/', headers: {} })
      .then(({ status }) => status)
      .finally(() => client.close());
  };
  try {
    await assert.rejects(ask({}), (error) => connectionFault(connectionCode(error) ?? '')?.kind === 'untrusted_certificate');
    assert.equal(await ask({ anyCertificate: true }), 200);
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    server.closeAllConnections();
    server.close();
  }
});

test('a signal ends what is under way, and so does closing', async () => {
  const stop = new AbortController();
  assert.equal(await faultOf(() => stop.abort(new DOMException('stop', 'TimeoutError')), { signal: stop.signal }), 'slow');

  await using place = await serve(() => undefined);
  const client = createHttpClient({ address: place.address, longestBytes: 1000 });
  const asked = client.ask({ method: 'GET', path: '/', headers: {} });
  await once(place.server, 'request');
  await Promise.all([assert.rejects(asked), client.close()]);
});
