import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { probeStore, type StoreProbeOptions, shapes } from '../../../src/certify/shape/probe-store.ts';
import { type StoreProbeReport, storeShapes } from '../../../src/certify/shape/reports.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { connectionTo } from '../connection.ts';
import { type Alterations, openAlteringProxy, refusal, type Told } from './altering-proxy.ts';

/** Writes more than 1,000 objects. */
const long = 'cosmo.delete-graph';
const short = shapes.cosmo.map(({ id }) => id).filter((id) => id !== long);

describe('the probe of a store', () => {
  let store: StrictStore;
  before(async () => {
    store = await openStrictStore();
    store.place('artifacts', 'mine/before', 'untouched');
  });
  after(() => store.close());

  const probe = (url: string, options: Partial<StoreProbeOptions> = {}): Promise<StoreProbeReport> =>
    probeStore({ ...connectionTo(store, store), endpointUrl: url }, { shape: 'cosmo', version: '1.2.3', only: short, ...options });
  const altered = async (alterations: Alterations, options: Partial<StoreProbeOptions>): Promise<StoreProbeReport> => {
    await using proxy = await openAlteringProxy(store.url, alterations);
    return await probe(proxy.url, options);
  };
  const heldBy = ({ checks }: StoreProbeReport) =>
    checks.filter(({ result }) => result !== 'pass').map(({ id, result }) => `${id} ${result}`);

  test('finds nothing wrong with a store that is right, and leaves nothing in it', async () => {
    const told: string[] = [];
    const report = await probe(store.url, { onCheck: ({ id }) => void told.push(id) });
    // It is in one region, as stores of AWS are.
    assert.deepEqual(heldBy(report), ['cosmo.other-region differs']);
    assert.equal(report.ok, true);
    assert.deepEqual(told, short);
    assert.deepEqual([report.cleaned, report.busy, report.leftovers], [[], [], []]);
    assert.deepEqual(store.objects('artifacts'), ['mine/before']);
    assert.equal(JSON.stringify(report).includes(store.secretAccessKey), false);
  });

  test('each shape has the checks of a plain store, and ids of its own', () => {
    assert.deepEqual(Object.keys(shapes), storeShapes);
    for (const checks of Object.values(shapes)) {
      assert.deepEqual(checks.slice(0, shapes.plain.length), shapes.plain);
      assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
    }
  });

  test('names each deviation, with what follows from it and what avoids it', async () => {
    const changed = (status: number, told: Told): Told => ({ ...told, status });
    const isObject = (path: string): boolean => /store-probe\/[0-9a-f]+\/./.test(path);
    const deviations: readonly (readonly [id: string, alterations: Alterations, detail: RegExp, result?: 'differs'])[] = [
      [
        'cosmo.write',
        { after: ({ method, query }, told) => (method === 'PUT' && query.has('x-id') ? changed(201, told) : undefined) },
        /answered 201/,
      ],
      [
        'cosmo.write',
        { instead: ({ headers }) => (headers['x-amz-checksum-crc32'] === undefined ? undefined : refusal(501, 'NotImplemented')) },
        /answered 501 NotImplemented/,
      ],
      [
        'cosmo.metadata',
        { after: (_, told) => ({ ...told, headers: { ...told.headers, 'x-amz-meta-version': undefined } }) },
        /the version came back as nothing/,
      ],
      [
        'cosmo.metadata',
        {
          after: (_, told) => {
            const { 'x-amz-meta-signature-sha256': signature, ...headers } = told.headers;
            return signature === '' ? { ...told, headers } : undefined;
          },
        },
        /an empty signature came back as nothing/,
        'differs',
      ],
      [
        'cosmo.swap',
        {
          after: ({ method, query }, told) =>
            method === 'GET' && !query.has('list-type') ? { ...told, body: Buffer.from('{"version":"0"}') } : undefined,
        },
        /the body of version 0 with the metadata of version [1-9]/,
      ],
      [
        'cosmo.missing',
        { after: ({ method }, told) => (method === 'GET' && told.status === 404 ? refusal(403, 'AccessDenied') : undefined) },
        /GET answered 403/,
      ],
      [
        'cosmo.missing',
        { after: (_, told) => (told.status === 404 ? { ...told, body: Buffer.from('<html>not here</html>') } : undefined) },
        /answered 404.*without the XML/,
      ],
      ['cosmo.delete', { after: ({ method }, told) => (method === 'DELETE' ? changed(200, told) : undefined) }, /the delete answered 200/],
      [
        'cosmo.delete-many',
        {
          instead: ({ method, headers }) =>
            method === 'POST' && headers['content-md5'] === undefined ? refusal(400, 'MissingContentMD5') : undefined,
        },
        /400 MissingContentMD5/,
      ],
      [
        'cosmo.delete-many-before',
        {
          instead: ({ method, headers }) =>
            method === 'POST' && headers['x-amz-checksum-crc32'] === undefined ? refusal(400, 'InvalidRequest') : undefined,
        },
        /400 InvalidRequest/,
      ],
      [
        'cosmo.delete-many',
        { after: ({ method }, told) => (method === 'POST' ? { ...told, body: Buffer.from('<DeleteResult></DeleteResult>') } : undefined) },
        /it says 0 of 3 were deleted/,
      ],
      [
        'cosmo.if-modified-since',
        { after: (_, told) => ({ ...told, headers: { ...told.headers, 'last-modified': '2026-11-29T00:00:00Z' } }) },
        /Last-Modified is "2026/,
      ],
      [
        'cosmo.read',
        {
          after: ({ method, query }, told) =>
            method === 'GET' && query.has('response-cache-control') ? refusal(400, 'InvalidArgument') : told,
        },
        /answered 400 InvalidArgument/,
      ],
      [
        'cosmo.percent',
        {
          after: ({ query }, told) =>
            query.has('list-type')
              ? { ...told, body: Buffer.from(told.body.toString().replaceAll('my%20client', 'my client')) }
              : undefined,
        },
        /a list shows 5 of 6|a list shows "/,
      ],
      [
        'cosmo.prefix',
        {
          after: ({ query }, told) =>
            query.get('prefix')?.endsWith('operations/web') === true
              ? { ...told, body: Buffer.from('<ListBucketResult></ListBucketResult>') }
              : undefined,
        },
        /finds 0 of 2/,
      ],
      [
        'plain.overwrite',
        {
          instead: ({ method, path }) =>
            method === 'PUT' && /overwrite/.test(path) ? { status: 200, headers: { etag: '"x"' }, body: Buffer.alloc(0) } : undefined,
        },
        /a read was answered 404/,
      ],
      [
        'plain.delete',
        {
          instead: ({ method, path }) =>
            method === 'DELETE' && isObject(path) ? { status: 204, headers: {}, body: Buffer.alloc(0) } : undefined,
        },
        /still there/,
      ],
    ];
    for (const [id, alterations, detail, result = 'fail'] of deviations) {
      const report = await altered(alterations, { only: [id] });
      const [check] = report.checks;
      assert.equal(check?.result, result, `${id} ${detail}: ${check?.detail}`);
      assert.match(check.detail, detail);
      assert.ok(check.consequence !== null && check.remedy !== null, id);
      assert.equal(report.ok, result === 'differs', id);
    }
    const missing = await altered(
      { after: (_, told) => (told.status === 404 ? refusal(403, 'AccessDenied') : undefined) },
      { only: ['cosmo.missing'] },
    );
    assert.match(missing.checks[0]?.remedy ?? '', /s3:ListBucket/);
    await probe(store.url, { only: [] });
  });

  test('removes what a killed run left once it is dead, and leaves a run alone that may be at work', async () => {
    const dead = 'certify-store-probe/0123456789ab/';
    for (const key of [`${dead}alive`, `${dead}cosmo.write/a`, 'certify-store-probe/notes', 'certify-store-probe/mine/a'])
      store.place('artifacts', key, 'x');
    const young = await probe(store.url, { only: ['plain.list'] });
    assert.deepEqual([young.cleaned, young.busy], [[], [dead]]);
    assert.ok(store.objects('artifacts').includes(`${dead}alive`));
    const old = await probe(store.url, { only: ['plain.list'], deadMilliseconds: 0 });
    assert.deepEqual([old.cleaned, old.busy], [[dead], []]);
    const own = ['certify-store-probe/mine/a', 'certify-store-probe/notes', 'mine/before'];
    assert.deepEqual(store.objects('artifacts'), own);
    // Without its pulse it has ended in the middle of its clean-up.
    store.place('artifacts', `${dead}cosmo.write/a`, 'x');
    assert.deepEqual((await probe(store.url, { only: ['plain.list'] })).cleaned, [dead]);
    assert.deepEqual(store.objects('artifacts'), own);
  });

  test('does not know what was not answered in time', async () => {
    const report = await altered(
      { instead: ({ path }) => (path.endsWith('/some') ? sleep(2_000, refusal(500, 'InternalError')) : undefined) },
      { only: ['plain.round-trip', 'plain.list'], patienceMilliseconds: 1_000 },
    );
    assert.deepEqual(heldBy(report), ['plain.round-trip skipped']);
    assert.match(report.checks[0]?.detail ?? '', /did not answer in time/);
    assert.equal(report.ok, false);
  });

  test('asks on where the keys may not list, and removes what it wrote by name', async () => {
    const report = await altered(
      { instead: ({ query }) => (query.has('list-type') ? refusal(403, 'AccessDenied') : undefined) },
      { only: ['plain.round-trip', 'plain.list', 'plain.delete'] },
    );
    assert.deepEqual(heldBy(report), ['plain.list fail']);
    assert.match(report.checks[1]?.remedy ?? '', /s3:ListBucket/);
    assert.deepEqual(report.leftovers, []);
    assert.equal(
      store.objects('artifacts').some((key) => key.startsWith('certify-store-probe/') && /[0-9a-f]{12}/.test(key)),
      false,
    );
  });

  test('is cleaned up after when it is stopped, and ends when the store does', async () => {
    const controller = new AbortController();
    const stopped = probe(store.url, { signal: controller.signal, onCheck: (_, done) => void (done === 4 && controller.abort()) });
    await assert.rejects(stopped, { code: 'cancelled' });
    assert.equal(
      store.objects('artifacts').some((key) => /[0-9a-f]{12}/.test(key)),
      false,
    );
    await using proxy = await openAlteringProxy(store.url, {});
    const begun = performance.now();
    const ended = probe(proxy.url, { onCheck: (_, done) => void (done === 4 && proxy[Symbol.asyncDispose]()) });
    await assert.rejects(ended, (error: Error & { code?: string; info?: { readonly leftovers?: readonly string[] } }) => {
      assert.equal(error.code, 'storage_unavailable');
      assert.match(error.message, /nothing listens there/);
      assert.equal(error.info?.leftovers?.length, 1);
      return true;
    });
    assert.ok(performance.now() - begun < 25_000);
  });
});
