import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type OpenedS3, openS3OnStrictStore } from '../../compose/open-s3.ts';

type Answer = readonly [status: number, headers: Readonly<Record<string, string>>, body: string];
type Storage = OpenedS3['storage'];

const part = 5_242_880;

/** Everything that a store is asked. */
const calls: Readonly<Record<string, (storage: Storage) => Promise<unknown>>> = {
  list: (storage) => Array.fromAsync(storage.list('')),
  head: (storage) => storage.head('key'),
  get: (storage) => storage.get('key'),
  range: (storage) => storage.get('key', { range: { first: 0, last: 1 } }),
  put: (storage) => storage.put('key', pieces(Buffer.from('bytes'))),
  'put in parts': (storage) => storage.put('key', pieces(Buffer.alloc(part + 1))),
  reclaim: (storage) => storage.reclaim(0),
};

describe('s3 storage: an answer that no store gave', () => {
  const page = '<html><head><title>Log in to the guest network</title></head><body><p>Welcome</p></body></html>';
  const portals: readonly (readonly [name: string, answer: Answer])[] = [
    ['the log-in page of a network', [200, { 'content-type': 'text/html' }, page]],
    ['a page without a type', [200, {}, page]],
    ['the JSON of another service', [200, { 'content-type': 'application/json' }, '{"status":"ok"}']],
    ['the XML of another service', [200, { 'content-type': 'application/xml' }, '<status>ok</status>']],
    ['nothing at all', [200, {}, '']],
    ['nothing, and 204', [204, {}, '']],
  ];
  for (const [name, answer] of portals)
    test(`${name} is neither an object, nor a list, nor a write that took place`, async () => {
      await using opened = await openOn(answer);
      for (const [call, run] of Object.entries(calls)) {
        const outcome = await run(opened.storage).catch((error: unknown) => error);
        assert.ok(isArtifactstoreError(outcome, 'storage_unavailable'), `${call}: ${JSON.stringify(outcome)}`);
        assert.match(outcome.message, /not that of an S3 store.*ARTIFACTSTORE_S3_ENDPOINT_URL/, call);
      }
      const { healthy, detail } = await opened.storage.health();
      assert.ok(!healthy, detail);
    });

  test('a page is no answer to a delete either', async () => {
    await using opened = await openOn([200, { 'content-type': 'text/html' }, page]);
    await assert.rejects(opened.storage.delete('key'), { code: 'storage_unavailable', message: /not that of an S3 store/ });
  });

  test('an object of unknown length is not an empty one', async () => {
    await using opened = await openOn([200, { etag: '"abc"', 'transfer-encoding': 'chunked' }, 'bytes']);
    for (const call of ['get', 'head'] as const) await assert.rejects(calls[call]!(opened.storage), { code: 'storage_unavailable' }, call);
  });

  test('a page is named by its title, and its text, which may repeat the request, is not shown', async () => {
    await using opened = await openOn([403, { 'content-type': 'text/html', server: 'squid/6' }, page.replace('Welcome', 'X-Amz-Secret')]);
    await assert.rejects(calls.list!(opened.storage), (error: Error) => {
      assert.match(error.message, /403: "Log in to the guest network"/);
      assert.doesNotMatch(error.message, /X-Amz/);
      return true;
    });
  });
});

describe('s3 storage: what a proxy or another port answers', () => {
  const cases: readonly (readonly [answer: Answer, said: RegExp])[] = [
    [
      [301, { location: 'https://s3.example.org/artifacts?token=hush' }, ''],
      /redirects \(301\) to https:\/\/s3\.example\.org\/artifacts; set/,
    ],
    [[308, { location: 'https://s3.example.org/artifacts' }, ''], /redirects \(308\) to https:\/\/s3\.example\.org/],
    [[302, {}, ''], /redirects \(302\) without saying where/],
    [
      [301, { 'x-amz-bucket-region': 'eu-central-1' }, xml('PermanentRedirect', '<Endpoint>a.s3.eu-central-1.amazonaws.com</Endpoint>')],
      /region "eu-central-1", not in "us-east-1"; set ARTIFACTSTORE_S3_REGION.*a\.s3\.eu-central-1\.amazonaws\.com/,
    ],
    [[400, {}, xml('AuthorizationHeaderMalformed', '<Region>eu-west-3</Region>')], /region "eu-west-3"/],
    [
      [413, { 'content-type': 'text/html' }, '<html></html>'],
      /a proxy in front of the store refuses bodies of this size.*client_max_body_size/,
    ],
    [[429, {}, ''], /asks for fewer requests/],
    [[503, {}, xml('SlowDown')], /the store asks for fewer requests \(SlowDown\)/],
    [[429, {}, xml('TooManyRequests')], /the store asks for fewer requests \(TooManyRequests\)/],
    [[502, {}, ''], /gets no answer from the store itself \(status 502\)/],
    [[504, {}, ''], /gets no answer from the store itself/],
    [
      [400, { 'content-type': 'text/plain' }, 'Client sent an HTTP request to an HTTPS server.\n'],
      /the store speaks https: correct it to https/,
    ],
    [
      [400, { 'content-type': 'text/html' }, '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>'],
      /the store speaks https: correct it to https/,
    ],
  ];
  for (const [answer, said] of cases)
    test(`${answer[0]}: ${said.source}`, async () => {
      await using opened = await openOn(answer);
      for (const call of ['list', 'get', 'put'] as const) {
        const outcome = await calls[call]!(opened.storage).catch((error: unknown) => error);
        assert.ok(isArtifactstoreError(outcome, 'storage_unavailable'), `${call}: ${String(outcome)}`);
        assert.match(outcome.message, said, call);
        assert.doesNotMatch(outcome.message, /hush/);
      }
    });
});

function xml(code: string, more = ''): string {
  return `<Error><Code>${code}</Code><Message>No.</Message>${more}</Error>`;
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function openOn([status, headers, body]: Answer): Promise<OpenedS3> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  const settings = { endpointUrl: `http://127.0.0.1:${port}`, multipartChunkBytes: part };
  const opened = await openS3OnStrictStore({ settings, calls: { attempts: 1 } });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await opened.close();
  };
  return { ...opened, close, [Symbol.asyncDispose]: close };
}
