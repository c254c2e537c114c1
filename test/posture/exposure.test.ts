import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import type { TLSSocket } from 'node:tls';
import { checkExposure } from '../../src/posture/exposure.ts';
import { createHttpClient } from '../../src/runtime/http-client.ts';
import { localhostCertificate } from '../stores/certificate.ts';

/** What a proxy that does this says of a host that nobody knows and of `minio.local`. */
async function exposureBy(answer: (host: string, request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => answer(request.headers.host ?? '', request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await exposureAt((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function exposureAt(port: number, scheme = 'http'): Promise<string> {
  const client = createHttpClient({ address: `${scheme}://127.0.0.1:${port}`, longestBytes: 100_000, anyCertificate: true });
  try {
    const [found] = await checkExposure({
      hosts: ['minio.local'],
      unknownHosts: ['nobody-1234.invalid', 'nobody-5678.invalid'],
      ask: (host, path) => client.ask({ method: 'GET', path, headers: { host } }),
    });
    return `${found?.answer}: ${found?.reason}`;
  } finally {
    await client.close();
  }
}

const notFound = (response: ServerResponse): unknown =>
  response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');

test('a proxy that knows nobody leads nowhere', async () => {
  assert.equal(
    await exposureBy((_, __, response) => void notFound(response)),
    'not_routed: GET / is answered with 404, as for a host that nobody knows',
  );
  // The page may name the host that was asked for, and the time.
  const talking = await exposureBy((host, _, response) => void response.writeHead(404).end(`no ${host} at ${process.hrtime()[1]}`));
  assert.match(talking, /^not_routed/);
});

test('what differs between two hosts that nobody knows says nothing of a third', async () => {
  const withIds = (status: number, page = (id: string) => `no such service (request ${id})`) =>
    exposureBy((_, __, response) => void response.writeHead(status).end(page(randomUUID())));
  assert.equal(await withIds(404), 'not_routed: GET / is answered with 404, as for a host that nobody knows');
  assert.match(await withIds(404, (id) => `<p id="${Buffer.from(id).toString('base64')}">gone</p>`), /^not_routed/);
  assert.match(await withIds(403), /^cannot_be_known: .* every host is answered with 403/);
  assert.match(await withIds(503), /^cannot_be_known: .* every host is answered with 503/);
  let asked = 0;
  assert.match(await withIds(404, () => 'a word '.repeat(++asked)), /^cannot_be_known: .* nothing can be compared/);
  const unlike = await exposureBy((host, _, response) => void response.writeHead(host === 'nobody-1234.invalid' ? 404 : 503).end());
  assert.match(unlike, /^cannot_be_known: .* nothing can be compared/);
  // Each answer has an id of its own, and `minio.local` another page or another header.
  const led = (headers: Record<string, string>, text: string) =>
    exposureBy((host, _, response) =>
      host === 'minio.local'
        ? void response.writeHead(404, headers).end(`${text} ${randomUUID()}`)
        : void response.writeHead(404).end(`no route ${randomUUID()}`),
    );
  assert.match(await led({}, 'no bucket'), /^routed: .* with 404, as for a host that nobody knows, but with another page$/);
  assert.match(await led({}, 'no route here'), /^routed: .* with another page$/);
  assert.match(await led({ server: 'nginx' }, 'no route'), /^routed: .* with other headers$/);
});

test('a proxy that leads there is seen, also where what it leads to says 404, 403 or nothing', async () => {
  const toStore = (status: number, headers: Record<string, string>, body = '') =>
    exposureBy((host, _, response) => void (host === 'minio.local' ? response.writeHead(status, headers).end(body) : notFound(response)));
  assert.match(await toStore(200, {}), /^routed: GET \/ is answered with 200, and with 404/);
  assert.match(await toStore(502, {}, 'Bad Gateway'), /^routed: .* 502/);
  assert.match(await toStore(401, { 'www-authenticate': 'Basic' }), /^routed: .* 401/);
  assert.match(await toStore(404, { server: 'MinIO', 'content-type': 'text/plain' }, '404 page not found\n'), /^routed: .* by MinIO/);
  assert.match(
    await toStore(404, { 'content-type': 'application/xml' }, '<Error><Code>NoSuchBucket</Code></Error>'),
    /^routed: .* speaks S3/,
  );
});

test('a route for a path alone is seen, whatever the host', async () => {
  const byPath = await exposureBy((_, request, response) =>
    request.url?.startsWith('/minio/') ? void response.writeHead(200, { server: 'MinIO' }).end() : void notFound(response),
  );
  assert.match(byPath, /^routed: GET \/minio\/health\/live is answered by MinIO, with 200/);
});

test('a proxy that treats everybody alike, or does not answer, says nothing', async () => {
  const redirecting = await exposureBy((host, _, response) => void response.writeHead(301, { location: `https://${host}/` }).end());
  assert.equal(redirecting, 'cannot_be_known: GET /: every host is sent to https://…/; give that address of the proxy');
  assert.match(await exposureBy((_, __, response) => void response.end('hello')), /^cannot_be_known: .* every host is answered with 200/);
  assert.match(await exposureBy((_, __, response) => void response.writeHead(503).end()), /^cannot_be_known: .* 503/);
  assert.match(await exposureBy((_, request) => void request.socket.destroy()), /^cannot_be_known: GET \/: the connection was cut/);
  assert.match(await exposureBy((_, { socket }) => void socket.end('SSH-2.0-x\r\n')), /^cannot_be_known: GET \/: its answer is not HTTP/);
  const cuts = await exposureBy((host, request, response) => void (host === 'minio.local' ? request.socket.destroy() : notFound(response)));
  assert.match(cuts, /^cannot_be_known: .* and other hosts get an answer/);
  assert.match(await exposureAt(1), /^cannot_be_known: GET \/: nothing listens there/);
});

test('the forbidden host is also the name that TLS is asked for, and no certificate is in the way', async () => {
  const names = new Set<unknown>();
  const server = createHttpsServer(localhostCertificate(), ({ socket, headers }, response) => {
    const { servername } = socket as TLSSocket & { readonly servername?: string };
    names.add(servername);
    response.writeHead(servername === 'minio.local' && headers.host === 'minio.local' ? 403 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const found = await exposureAt((server.address() as AddressInfo).port, 'https');
    assert.match(found, /^routed: GET \/ is answered with 403, and with 404/);
    assert.deepEqual([...names].sort(), ['minio.local', 'nobody-1234.invalid', 'nobody-5678.invalid']);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
