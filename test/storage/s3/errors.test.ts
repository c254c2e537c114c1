import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { openS3OnStrictStore } from '../open-s3.ts';

describe('s3 storage: what failed, in our words', () => {
  for (const [status, said] of [
    [502, /the store, or a proxy before it, answered 502; it may be busy or broken/],
    [503, /answered 503/],
    [403, /the answer is not that of an S3 store; look at ARTIFACTSTORE_S3_ENDPOINT_URL/],
    [200, /the answer is not that of an S3 store; look at ARTIFACTSTORE_S3_ENDPOINT_URL/],
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
