import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Proof } from '../../src/provider/PROVIDER.ts';
import { proveAtS3 } from '../../src/provider/s3-proof.ts';
import { openStrictStore, type StrictStore } from '../s3-stand-in/strict-store.ts';
import { withoutPatience } from './without-patience.ts';

const resultsOf = ({ checks }: Proof): Record<string, string> => Object.fromEntries(checks.map(({ what, result }) => [what, result]));
const within = { write: 'holds', head: 'holds', read: 'holds', delete: 'holds' };
const scope = { bucket: 'artifacts', prefix: '' };

describe('a proof at an S3 endpoint', () => {
  let store: StrictStore;
  before(async () => {
    store = await openStrictStore({ buckets: ['artifacts', 'payroll'] });
  });
  after(async () => await store[Symbol.asyncDispose]());

  let last = 0;
  const keysFor = (reach: { readonly buckets?: readonly string[]; readonly keyPrefix?: string }, isKnown = true) => {
    last += 1;
    const keys = { accessKeyId: `AKIAPROOF${last}`, secretAccessKey: 'hush' };
    if (isKnown) store.admit({ ...keys, ...reach });
    return keys;
  };
  const prove = async (keys: { accessKeyId: string; secretAccessKey: string }, at = scope) =>
    await proveAtS3({ endpointUrl: store.url, region: store.region }, keys, at, { otherBucket: 'payroll' }, withoutPatience());

  test('asks everything, and leaves nothing', async () => {
    const narrow = await prove(keysFor({ buckets: ['artifacts'] }));
    assert.deepEqual(resultsOf(narrow), { ...within, other_bucket: 'holds', other_prefix: 'not_applicable', account_list: 'holds' });
    const below = await prove(keysFor({ buckets: ['artifacts'], keyPrefix: 'mine/' }), { bucket: 'artifacts', prefix: 'mine' });
    assert.deepEqual([resultsOf(below).write, resultsOf(below).other_prefix], ['holds', 'holds']);
    assert.deepEqual([store.objects('artifacts'), store.objects('payroll')], [[], []]);
  });

  test('says of keys that reach further where that is', async () => {
    const wide = await prove(keysFor({}));
    assert.deepEqual(resultsOf(wide), { ...within, other_bucket: 'fails', other_prefix: 'not_applicable', account_list: 'fails' });
    const beside = await prove(keysFor({ buckets: ['artifacts'], keyPrefix: 'mine' }), { bucket: 'artifacts', prefix: 'mine' });
    assert.equal(resultsOf(beside).other_prefix, 'fails');
    assert.deepEqual([store.objects('artifacts'), store.objects('payroll')], [[], []]);
  });

  test('does not know what it was given no bucket for, and asks nothing outside for keys that do not work', async () => {
    const unasked = await proveAtS3(
      { endpointUrl: store.url, region: store.region },
      keysFor({ buckets: ['artifacts'] }),
      scope,
      { otherBucket: undefined },
      withoutPatience(),
    );
    assert.equal(unasked.checks.length, 7);
    assert.match(unasked.checks.find(({ what }) => what === 'other_bucket')?.told ?? '', /--other-bucket/);
    assert.equal(resultsOf(unasked).other_bucket, 'unknown');
    const before = store.requests.ListBuckets;
    assert.deepEqual(resultsOf(await prove(keysFor({}, false))), { write: 'fails' });
    assert.equal(store.requests.ListBuckets, before);
  });

  /** In front of the store: answers itself where it is told to. */
  async function openFront(
    answer: (
      method: string,
      path: string,
    ) => { readonly status: number; readonly code?: string; readonly version?: string } | 'cut' | undefined,
  ) {
    const server: Server = createServer((request, response) => {
      const own = answer(request.method ?? '', request.url ?? '');
      if (own === 'cut') return void request.socket.resetAndDestroy();
      const { status, code = '', version } = own ?? { status: 200 };
      request.resume();
      response
        .writeHead(status, version === undefined ? {} : { 'x-amz-version-id': version })
        .end(code === '' ? '' : `<Error><Code>${code}</Code></Error>`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      connections: async () => await promisify(server.getConnections.bind(server))(),
      prove: async (mostMilliseconds = 0, signal?: AbortSignal) =>
        await proveAtS3(
          { endpointUrl, region: 'r' },
          { accessKeyId: 'A', secretAccessKey: 'hush' },
          scope,
          { otherBucket: 'payroll' },
          { ...withoutPatience(mostMilliseconds), signal },
        ),
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  }

  test('knows nothing of what was outside and not answered, and says so', async () => {
    await using front = await openFront((_, path) => (path.startsWith('/payroll') ? 'cut' : undefined));
    const proof = await front.prove();
    assert.deepEqual([resultsOf(proof).other_bucket, resultsOf(proof).account_list], ['unknown', 'holds']);
    assert.match(proof.checks.find(({ what }) => what === 'other_bucket')?.told ?? '', /cannot be reached for PUT/);
  });

  test('names the setting of the objects, and not that of the provider, where nothing answers there', async () => {
    const place = { endpointUrl: 'http://127.0.0.1:1', region: 'r' };
    await assert.rejects(proveAtS3(place, keysFor({}), scope, { otherBucket: 'payroll' }, withoutPatience()), (error) => {
      assert.ok(isArtifactstoreError(error, 'provider_unavailable'), String(error));
      assert.match(`${error.message} ${error.info?.hint}`, /^The object store at .*cannot be reached for PUT .* look at --endpoint,/);
      return true;
    });
  });

  test('takes a refusal of the keys themselves for none of what is outside, and asks again within the bound', async () => {
    for (const code of ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'ExpiredToken']) {
      await using front = await openFront((_, path) => (path.startsWith('/payroll') ? { status: 403, code } : undefined));
      const check = (await front.prove()).checks.find(({ what }) => what === 'other_bucket');
      assert.deepEqual([check?.result, check?.told], ['unknown', `403 ${code}: that is about the keys, not about what they reach`]);
    }
    let asked = 0;
    await using slow = await openFront((_, path) => {
      if (!path.startsWith('/payroll')) return undefined;
      asked += 1;
      return { status: 403, code: asked < 3 ? 'InvalidAccessKeyId' : 'AccessDenied' };
    });
    assert.equal(resultsOf(await slow.prove(30_000)).other_bucket, 'holds');
    assert.equal(asked, 4, 'twice more, and the list');
  });

  test('asks once to delete the versions that it made, which keys need no right to, and keeps no connection', async () => {
    const asked: string[] = [];
    await using versioned = await openFront((method, path) => {
      if (!path.startsWith('/artifacts')) return undefined;
      if (method === 'PUT') return { status: 200, version: 'v1' };
      if (method !== 'DELETE') return undefined;
      if (!path.includes('versionId')) return { status: 204, version: 'v2' };
      asked.push(path.replace(/.*\?/, ''));
      return { status: 403, code: 'AccessDenied' };
    });
    const { checks } = await versioned.prove(30_000);
    const { result, told } = checks.find(({ what }) => what === 'delete') ?? {};
    assert.deepEqual([result, asked], ['holds', ['versionId=v1', 'versionId=v2']]);
    assert.match(told ?? '', /^204; a version stays: artifacts\/\.artifactstore-proof\/[0-9a-f]+ \(403 AccessDenied\)$/);
    await setImmediate();
    assert.equal(await versioned.connections(), 0);
  });

  test('waits for keys that are not known yet, and ends with a stop', async () => {
    let asked = 0;
    await using slow = await openFront((method) => {
      if (method !== 'PUT') return undefined;
      asked += 1;
      return asked < 3 ? { status: 403, code: 'AccessDenied' } : undefined;
    });
    assert.equal(resultsOf(await slow.prove(30_000)).write, 'holds');
    const stop = new AbortController();
    await using stopped = await openFront((_, path) => {
      if (path.startsWith('/payroll')) stop.abort();
      return undefined;
    });
    await assert.rejects(stopped.prove(0, stop.signal), (error) => isArtifactstoreError(error, 'cancelled'));
  });
});
