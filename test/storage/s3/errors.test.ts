import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openS3OnStrictStore } from '../../compose/open-s3.ts';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe('s3 storage: what failed, in our words', () => {
  for (const [status, said] of [
    [502, /a proxy in front of the store answered 502: it gets no answer from the store itself/],
    [503, /answered 503/],
    [403, /the answer \(403: "text\/html"\) is not that of an S3 store; look at ARTIFACTSTORE_S3_ENDPOINT_URL/],
    [200, /the answer \(200: "text\/html"\) is not that of an S3 store; look at ARTIFACTSTORE_S3_ENDPOINT_URL/],
  ] as const)
    test(`a page that a proxy answers with, status ${status}`, async () => {
      await using proxy = await answeringWith(status, '<html><body><h1>Not here</h1><br>no server is available</body></html>');
      await using opened = await openS3OnStrictStore({ settings: { endpointUrl: proxy.url }, calls: { attempts: 2 } });
      const listing = Array.fromAsync(opened.storage.list(''));
      await assert.rejects(listing, { code: 'storage_unavailable', message: said });
      assert.equal(proxy.requests(), status >= 500 ? 2 : 1, 'what may pass is asked again');
      const { healthy, detail } = await opened.storage.health();
      assert.equal(healthy, false);
      assert.match(detail, said);
      assert.doesNotMatch(detail, / {2}/);
    });

  test('a page of status 200 is not the object', async () => {
    await using proxy = await answeringWith(200, 'down for maintenance');
    await using opened = await openS3OnStrictStore({ settings: { endpointUrl: proxy.url }, calls: { attempts: 1 } });
    await assert.rejects(opened.storage.get('key'), { code: 'storage_unavailable', message: /ARTIFACTSTORE_S3_ENDPOINT_URL/ });
  });

  test('a store that is too busy, or does not let the keys, has said nothing of the object', async () => {
    for (const [status, code, info] of [
      [503, 'SlowDown', { object: 'unknown' }],
      [503, 'Odd', { object: 'unknown' }],
      [400, 'RequestLimitExceeded', { object: 'unknown' }],
      [403, 'AccessDenied', { object: 'unknown' }],
      [500, 'InternalError', undefined],
    ] as const) {
      await using proxy = await answeringWith(status, `<Error><Code>${code}</Code><Message>No.</Message></Error>`);
      await using opened = await openS3OnStrictStore({ settings: { endpointUrl: proxy.url }, calls: { attempts: 1 } });
      await assert.rejects(opened.storage.get('key'), (error) => {
        assert.ok(isArtifactstoreError(error, 'storage_unavailable'));
        assert.deepEqual(error.info, info, `${status} ${code}`);
        return true;
      });
    }
  });

  test('a store that is full says so in many words', async () => {
    for (const [status, code] of [
      [403, 'QuotaExceeded'],
      [400, 'XMinioAdminBucketQuotaExceeded'],
      [507, 'Odd'],
    ] as const) {
      await using proxy = await answeringWith(status, `<Error><Code>${code}</Code><Message>No.</Message></Error>`);
      await using opened = await openS3OnStrictStore({ settings: { endpointUrl: proxy.url }, calls: { attempts: 1 } });
      await assert.rejects(opened.storage.put('key', once(Buffer.from('bytes'))), { code: 'storage_full' });
    }
  });

  test('nothing of what an answer repeats of the request is in the error', async () => {
    const keys = { accessKeyId: 'AKIAKEY', secretAccessKey: 'secret-key', sessionToken: 'session-token' };
    const credentials = { keys: async () => keys, refused: () => undefined };
    for (const [status, code] of [
      [400, 'ExpiredToken'],
      [403, 'SignatureDoesNotMatch'],
      [500, 'InternalError'],
    ] as const) {
      const answer = `<Error><Code>${code}</Code><Message>No.</Message><Token-0>session-token</Token-0><CanonicalRequest>GET
x-amz-security-token:session-token</CanonicalRequest></Error>`;
      await using proxy = await answeringWith(status, answer);
      await using opened = await openS3OnStrictStore({ settings: { endpointUrl: proxy.url, credentials }, calls: { attempts: 1 } });
      await assert.rejects(opened.storage.get('key'), (error: Error) => {
        assert.match(error.message, new RegExp(code));
        const all = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
        assert.match(all, new RegExp(`status: ${status}`));
        for (const secret of [keys.sessionToken, keys.secretAccessKey]) assert.ok(!all.includes(secret), code);
        return true;
      });
    }
  });

  test('a page of status 404 says nothing of an object, unless the bucket is there', async () => {
    await using proxy = await answeringWith(404, 'default backend - 404');
    await using opened = await openS3OnStrictStore({ settings: { endpointUrl: proxy.url }, calls: { attempts: 1 } });
    const { storage } = opened;
    for (const call of [() => storage.get('key'), () => storage.head('key'), () => storage.delete('key')])
      await assert.rejects(call(), { code: 'storage_unavailable', message: /ARTIFACTSTORE_S3_ENDPOINT_URL/ });
    await using odd = await openS3OnStrictStore({ store: { lies: { notFoundAsHtml: true, deleteNotIdempotent: true } } });
    assert.deepEqual([await odd.storage.get('key'), await odd.storage.head('key')], [undefined, undefined]);
    await odd.storage.delete('key');
  });
});

async function answeringWith(status: number, page: string): Promise<AsyncDisposable & { readonly url: string; requests(): number }> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(status, { 'content-type': 'text/html' }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
