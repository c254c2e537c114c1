import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { bytesBody, connectRegistry, type RemoteRegistry } from '../../../src/client/connect.ts';
import { titleOf } from '../../../src/client/wire/foreign-answer.ts';
import { ArtifactstoreError, type ErrorCode } from '../../../src/kernel/error.ts';
import { encodeCbor } from '../../../src/kernel/format/cbor.ts';
import { openWorkplace } from '../../cli/workplace.ts';
import { localhostCertificate } from '../../stores/certificate.ts';

type Answer = readonly [status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array];

const id = '01900000-0000-7000-8000-000000000000';
const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const address = `blake3:${'0'.repeat(64)}`;

/** Everything that a server is asked. */
const calls: Readonly<Record<string, (registry: RemoteRegistry) => Promise<unknown>>> = {
  health: (registry) => registry.health(),
  create: (registry) => registry.packages.create(input),
  'get a package': (registry) => registry.packages.get(id),
  'list packages': (registry) => registry.packages.list(),
  finalize: (registry) => registry.packages.finalize(id),
  abandon: (registry) => registry.packages.abandon(id),
  manifest: (registry) => registry.packages.manifest(id),
  'add a file': (registry) => registry.files.add(id, { relative_path: 'a', body: bytesBody(new Uint8Array(3)) }),
  'add files': (registry) => registry.files.addMany(id, (async function* () {})()),
  attach: (registry) => registry.files.attach(id, [{ relative_path: 'a', content_address: address, size_bytes: 1 }]),
  'list files': (registry) => registry.files.list(id),
  'find a file': (registry) => registry.files.find(id, 'a'),
  'open a file': (registry) => registry.files.open({ file_id: id }),
  download: (registry) => registry.download({ id, size_bytes: 3, content_address: address }),
  'download nothing': (registry) => registry.download({ id, size_bytes: 0, content_address: address }),
  events: (registry) => registry.events.page(),
  'retention of a package': (registry) => registry.retention.show(id),
  'retention classes': (registry) => registry.retention.classes(),
  hold: (registry) => registry.retention.hold(id, { reason: 'r' }),
  'list schemas': (registry) => registry.metadataSchemas.list(),
};

describe('the client, answered by something else', () => {
  let server: Server;
  let registry: RemoteRegistry;
  let url: string;
  let answer: Answer;
  let asked: number;

  before(async () => {
    server = createServer((request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(answer[0], answer[1]).end(answer[2]);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    registry = connectRegistry({ url, token: 't', patienceSeconds: 0 });
  });
  beforeEach(() => {
    asked = 0;
  });
  after(async () => {
    await registry.close();
    server.closeAllConnections();
    server.close();
  });

  const page = '<!doctype html><html><head><title>Log in\n to the guest network</title></head><body>Authorization: Bearer t</body></html>';
  const portals: readonly (readonly [name: string, answer: Answer])[] = [
    ['the log-in page of a network', [200, { 'content-type': 'text/html; charset=utf-8', server: 'portal/1' }, page]],
    ['the JSON of another service', [200, { 'content-type': 'application/json' }, '{}']],
    ['JSON that is null', [200, { 'content-type': 'application/json' }, 'null']],
    ['JSON with items of another kind', [200, { 'content-type': 'application/json' }, '{"items":[{"id":1}],"next_cursor":null}']],
    ['JSON that is cut off', [200, { 'content-type': 'application/json' }, '{"items":[']],
    ['CBOR of another kind', [200, { 'content-type': 'application/cbor' }, encodeCbor({ hello: 'world' })]],
    ['CBOR that is cut off', [200, { 'content-type': 'application/cbor' }, new Uint8Array([0xa2, 0x61])]],
    ['nothing', [200, {}, '']],
    ['nothing, with 204', [204, {}, '']],
    ['that nothing has changed', [304, {}, '']],
    ['that there is no such page', [404, { 'content-type': 'text/html' }, '<html><title>404 Not Found</title></html>']],
    ['that it has failed', [500, { 'content-type': 'text/plain' }, 'Internal Server Error']],
    ['an error of its own API', [422, { 'content-type': 'application/json' }, '{"code":"package_not_found"}']],
  ];
  for (const [name, given] of portals)
    test(`${name}: no call takes it for the server's`, async () => {
      answer = given;
      for (const [call, run] of Object.entries(calls)) {
        const error = await failure(run(registry));
        assert.equal(error.code, 'unexpected_answer', `${call}: ${error.message}`);
        assert.ok(error.message.startsWith(`${url}/`) && error.message.includes(` answered ${given[0]}`), error.message);
        assert.doesNotMatch(error.message, /Bearer/);
        assert.match(String(error.info?.hint), /ARTIFACTSTORE_API_URL/);
      }
      assert.equal(asked, Object.keys(calls).length, 'nothing is asked twice');
    });

  test('says who answered, as far as it tells', async () => {
    answer = portals[0]![1];
    const { message } = await failure(registry.packages.list({ producer: 'hush' }));
    assert.equal(
      message,
      `${url}/packages answered 200 (text/html; charset=utf-8, "Log in to the guest network", portal/1): artifactstore would have answered with application/json.`,
    );
    assert.deepEqual(['a\u0007b\nc', '{"a":1}', ''].map(titleOf), ['a b', '', '']);
  });

  const proxies: readonly (readonly [status: number, headers: Readonly<Record<string, string>>, code: ErrorCode, said: RegExp])[] = [
    [401, {}, 'unauthorized', /a proxy in front of the server asks who you are.*not about the token of artifactstore/],
    [403, {}, 'forbidden', /a proxy in front of the server refuses/],
    [411, {}, 'length_required', /proxy_request_buffering off/],
    [413, {}, 'body_too_large', /takes no body of this size.*client_max_body_size 0/],
    [429, {}, 'server_unreachable', /fewer requests/],
    [502, {}, 'server_unreachable', /a proxy answers, and the server behind it does not.*is artifactstore running there/],
    [503, {}, 'server_unreachable', /the server behind it does not/],
    [504, {}, 'server_unreachable', /waited for the server behind it/],
    [522, {}, 'server_unreachable', /the server behind it does not/],
    [
      301,
      { location: 'https://store.example.org/retention-classes?token=hush' },
      'unexpected_answer',
      /it redirects to https:\/\/store\.example\.org\/retention-classes, and.*set ARTIFACTSTORE_API_URL \(or --api-url\) to https:\/\/store\.example\.org /,
    ],
    [302, { location: '/login?from=hush' }, 'unexpected_answer', /redirects to http:\/\/127\.0\.0\.1:\d+\/login, and.*log-in page/],
    [308, {}, 'unexpected_answer', /without saying where/],
    [400, {}, 'server_unreachable', /it speaks https.*https:\/\//],
  ];
  for (const [status, headers, code, said] of proxies)
    test(`a proxy's ${status} is ${code}, with a hint of its own`, async () => {
      const text = status === 400 ? '<title>400 The plain HTTP request was sent to HTTPS port</title>' : '<title>No</title>';
      answer = [status, { 'content-type': 'text/html', ...headers }, text];
      const error = await failure(registry.retention.classes());
      assert.equal(error.code, code);
      assert.match(`${error.message} ${String(error.info?.hint)}`, said);
      assert.doesNotMatch(`${error.message} ${String(error.info?.hint)}`, /hush/);
    });

  test('a page without an end is not read to its end, nor waited for', { timeout: 20_000 }, async () => {
    const endless = createServer((request, response) => {
      response.writeHead(500, { 'content-type': 'text/html' });
      if (request.url !== '/health') return response.flushHeaders();
      const more = (): void => void (response.write(Buffer.alloc(16_384, 'x')) ? setImmediate(more) : response.once('drain', more));
      more();
    });
    await once(endless.listen(0, '127.0.0.1'), 'listening');
    const other = connectRegistry({ url: `http://127.0.0.1:${(endless.address() as AddressInfo).port}` });
    assert.equal((await failure(other.health())).code, 'unexpected_answer');
    assert.equal((await failure(other.retention.classes())).code, 'unexpected_answer');
    await other.close();
    endless.closeAllConnections();
    endless.close();
  });

  test('the command line ends with 6 and says what to look at', async () => {
    answer = portals[0]![1];
    using workplace = openWorkplace({ ARTIFACTSTORE_API_URL: url });
    workplace.write({ 'd/a': 'a' });
    for (const command of [['packages', 'list'], ['push', 'd', '--producer', 'p', '--subject', 's'], ['pull', id, 'out'], ['events']]) {
      const { code, stderr } = await workplace.run(...command);
      assert.equal(code, 6, `${command.join(' ')}: ${stderr}`);
      assert.match(stderr, /Log in to the guest network.*\(unexpected_answer\)\n.*hint: set ARTIFACTSTORE_API_URL/s);
    }
  });
});

describe('the client, at an address that does not speak as asked', () => {
  const { key, cert } = localhostCertificate();

  for (const [name, secure, scheme, said] of [
    ['a certificate that nobody vouches for', true, 'https', /self-signed or comes from an authority.*NODE_EXTRA_CA_CERTS/],
    ['https to a port of http', false, 'https', /https was asked for.*write http:\/\/ in ARTIFACTSTORE_API_URL/],
    ['http to a port of https', true, 'http', /whether https is spoken there/],
  ] as const)
    test(name, async () => {
      const server = secure ? createTlsServer({ key, cert }) : createServer();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const retries: number[] = [];
      const registry = connectRegistry({
        url: `${scheme}://localhost:${(server.address() as AddressInfo).port}`,
        onRetry: (_error, seconds) => void retries.push(seconds),
        ...(scheme === 'http' ? { patienceSeconds: 0 } : {}),
      });
      const error = await failure(registry.health());
      assert.equal(error.code, 'server_unreachable');
      assert.match(`${error.message} ${String(error.info?.hint)}`, said);
      assert.deepEqual(retries, [], 'waiting does not help');
      await registry.close();
      server.closeAllConnections();
      server.close();
    });
});

async function failure(promise: Promise<unknown>): Promise<ArtifactstoreError> {
  const outcome = await promise.then(
    (value) => assert.fail(`it was believed: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof ArtifactstoreError, String(outcome));
  return outcome;
}
