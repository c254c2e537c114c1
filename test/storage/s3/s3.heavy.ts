import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Keys } from '../../../src/credentials/CREDENTIALS.ts';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { storageConformance } from '../../../src/storage/conformance.ts';
import { type OpenS3Options, openS3OnStrictStore } from '../../compose/open-s3.ts';

const mebibyte = 1_048_576;
const part = 5 * mebibyte;
const inParts: OpenS3Options = { settings: { multipartChunkBytes: part, multipartThresholdBytes: part } };

storageConformance('s3', () => openS3OnStrictStore());
storageConformance('s3, in parts of 64 KiB', () =>
  openS3OnStrictStore({ store: { minimumPartBytes: 1 }, settings: { multipartChunkBytes: 65_536, multipartThresholdBytes: 65_536 } }),
);

describe('s3 storage', () => {
  test('lays objects out under the prefix, and shows nothing that lies beside it', async () => {
    await using opened = await openS3OnStrictStore();
    const { storage, store } = opened;
    await storage.put('blake3/ab/cd/abcd', pieces(Buffer.from('x')));
    store.place('artifacts', 'registry/other', 'y');
    assert.deepEqual(store.objects('artifacts'), ['registry/one/blake3/ab/cd/abcd', 'registry/other']);
    assert.deepEqual(
      (await Array.fromAsync(storage.list(''))).map(({ key }) => key),
      ['blake3/ab/cd/abcd'],
    );
  });

  test('lists more than one page', async () => {
    await using opened = await openS3OnStrictStore();
    for (let index = 0; index < 2001; index++) opened.store.place('artifacts', `registry/one/k${index}`, 'x');
    assert.equal((await Array.fromAsync(opened.storage.list(''))).length, 2001);
    assert.equal(opened.store.requests.ListObjectsV2, 3);
  });

  test('sends what is long in parts, and leaves nothing when the source fails after many of them', async () => {
    await using opened = await openS3OnStrictStore(inParts);
    const { storage, store } = opened;
    const bytes = randomBytes(3 * part + 5);
    await storage.put('long', pieces(bytes, 300_000));
    assert.equal(store.requests.UploadPart, 4);
    assert.ok((await read(opened.storage, 'long')).equals(bytes));
    await assert.rejects(storage.put('broken', failing(bytes)), /the source broke/);
    assert.deepEqual(store.objects('artifacts'), ['registry/one/long']);
    assert.deepEqual(store.uploads('artifacts'), []);
  });

  test('sends what can be read again in one request, checked by its digest', async () => {
    await using opened = await openS3OnStrictStore({ settings: { multipartChunkBytes: part } });
    const { storage, store } = opened;
    const bytes = randomBytes(2 * part + 1);
    const digestSha256 = createHash('sha256').update(bytes).digest('hex');
    const source = { [Symbol.asyncIterator]: () => pieces(bytes, 500_000) };
    const options = { sizeBytes: bytes.byteLength, repeatable: true };
    store.setFaults({ status: 503, times: 1, onlyOperations: ['PutObject'] });
    await storage.put('whole', source, { ...options, digestSha256 });
    assert.equal(store.requests.PutObject, 2);
    assert.equal(store.requests.UploadPart, undefined);
    assert.ok((await read(storage, 'whole')).equals(bytes));
    const other = createHash('sha256').update('other bytes').digest('hex');
    await fails(storage.put('altered', source, { ...options, digestSha256: other }), 'storage_unavailable', /changed on their way/);
    assert.deepEqual(store.objects('artifacts'), ['registry/one/whole']);
  });

  test('asks the store what became of a write whose answer never came', async () => {
    for (const operation of ['PutObject', 'CompleteMultipartUpload'] as const) {
      await using opened = await openS3OnStrictStore({ ...inParts, calls: { attempts: 1 } });
      const { storage, store } = opened;
      const bytes = randomBytes(operation === 'PutObject' ? 1000 : part + 1);
      store.setFaults({ dropAnswerAfter: operation, times: 1 });
      await storage.put('answered', pieces(bytes));
      assert.ok((await read(storage, 'answered')).equals(bytes), operation);
      store.setFaults({ resetConnection: true, onlyOperations: [operation] });
      await fails(storage.put('never', pieces(bytes)), 'storage_unavailable', /cut/);
      assert.equal(await storage.head('never'), undefined, operation);
      assert.deepEqual(store.uploads('artifacts'), []);
    }
  });

  test('does not take an older object at the key for its own', async () => {
    await using opened = await openS3OnStrictStore({ calls: { attempts: 1 } });
    opened.store.place('artifacts', 'registry/one/key', 'other');
    opened.store.setFaults({ resetConnection: true, onlyOperations: ['PutObject'] });
    await fails(opened.storage.put('key', pieces(Buffer.from('bytes'))), 'storage_unavailable', /cut/);
  });

  test('goes on with a download that breaks, and never takes its beginning for the whole', async () => {
    await using opened = await openS3OnStrictStore();
    const { storage, store } = opened;
    const bytes = randomBytes(3 * mebibyte);
    await storage.put('key', pieces(bytes));
    store.setFaults({ cutDownloadAfterBytes: mebibyte, times: 2 });
    assert.ok((await read(storage, 'key')).equals(bytes));
    assert.equal(store.requests.GetObject, 3);
    store.setFaults({ cutDownloadAfterBytes: 0 });
    await fails(read(storage, 'key'), 'storage_unavailable', /cut/);
  });

  test('gives up on a store that has stopped answering', async () => {
    await using opened = await openS3OnStrictStore({ calls: { answerMilliseconds: 200, attempts: 1 } });
    opened.store.setFaults({ stopAnswering: true });
    await fails(opened.storage.head('key'), 'storage_unavailable', /answer in time/);
  });

  test('gets through random failures and requests to slow down', async () => {
    await using opened = await openS3OnStrictStore();
    const { storage, store } = opened;
    store.setFaults({ status: 503, failEvery: 3 });
    for (let index = 0; index < 4; index++) await storage.put(`k${index}`, pieces(Buffer.from(`bytes ${index}`)));
    for (let index = 0; index < 4; index++) assert.equal((await read(storage, `k${index}`)).toString(), `bytes ${index}`);
  });

  test('says what is wrong, and which setting to look at', async () => {
    const cases: readonly (readonly [OpenS3Options, ErrorCode, RegExp])[] = [
      [{ settings: { bucket: 'nowhere' } }, 'storage_unavailable', /no bucket "nowhere".*ARTIFACTSTORE_S3_BUCKET/],
      [{ settings: { region: 'mars-1' } }, 'storage_unavailable', /"mars-1".*ARTIFACTSTORE_S3_REGION/],
      [{ settings: { credentials: keysOf('AKIAUNKNOWN000000000', 'secret') } }, 'storage_unavailable', /ARTIFACTSTORE_S3_ACCESS_KEY_REF/],
      [
        { store: { accessKeyId: 'AKIAKNOWN' }, settings: { credentials: keysOf('AKIAKNOWN', 'secret') } },
        'storage_unavailable',
        /ARTIFACTSTORE_S3_SECRET_KEY_REF/,
      ],
      [{ settings: { endpointUrl: 'http://127.0.0.1:1' } }, 'storage_unavailable', /nothing listens.*ARTIFACTSTORE_S3_ENDPOINT_URL/],
      [{ store: { faults: { full: true } } }, 'storage_full', /full/],
    ];
    for (const [options, code, message] of cases) {
      await using opened = await openS3OnStrictStore({ ...options, calls: { attempts: 1 } });
      await fails(opened.storage.put('key', pieces(Buffer.from('x'))), code, message);
      const { healthy, detail } = await opened.storage.health();
      if (code === 'storage_unavailable') assert.ok(!healthy && message.test(detail), detail);
    }
  });

  test('finds that a missing bucket is not a missing object', async () => {
    await using opened = await openS3OnStrictStore({ settings: { bucket: 'nowhere' } });
    await fails(opened.storage.head('key'), 'storage_unavailable', /bucket/);
    await fails(opened.storage.get('key'), 'storage_unavailable', /bucket/);
  });

  test('asks for other keys when its own are refused, once', async () => {
    const old = { accessKeyId: 'AKIAOLD', secretAccessKey: 'old' };
    let current: Keys = old;
    let refusals = 0;
    await using opened = await openS3OnStrictStore({
      settings: {
        credentials: {
          keys: async () => current,
          refused: () => {
            refusals += 1;
            current = fresh;
          },
        },
      },
    });
    const fresh = { accessKeyId: 'AKIAFRESH', secretAccessKey: 'fresh' };
    opened.store.admit(fresh);
    await opened.storage.put('key', pieces(Buffer.from('x')));
    assert.equal(refusals, 1);
    opened.store.revoke('AKIAFRESH');
    await fails(opened.storage.head('key'), 'storage_unavailable', /./);
    assert.equal(refusals, 2);
  });

  test('reclaims uploads that nobody completed, when they are old enough', async () => {
    await using opened = await openS3OnStrictStore(inParts);
    const { storage, store } = opened;
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const hanging = storage.put(`sha256/aa/aa/${'a'.repeat(64)}`, stalled(randomBytes(2 * part + 1), resolve));
    hanging.catch(() => undefined);
    await begun;
    while (store.uploads('artifacts').length === 0) await new Promise((next) => setTimeout(next, 5));
    assert.equal(await storage.reclaim(3600), 0);
    // Its parts may still be on their way.
    while ((await storage.reclaim(0, { dryRun: true })) !== 1) await new Promise((next) => setTimeout(next, 5));
    assert.equal(await storage.reclaim(-1), 1);
    assert.deepEqual(store.uploads('artifacts'), []);
  });

  test('writes with the storage class, the encryption and the ACL that are asked for', async () => {
    await using opened = await openS3OnStrictStore({
      ...inParts,
      settings: {
        ...inParts.settings,
        storageClass: 'STANDARD_IA',
        serverSideEncryption: 'AES256',
        dialect: { bodyBinding: 'content-md5', ownerAcl: true },
      },
    });
    await opened.storage.put('short', pieces(Buffer.from('x')));
    await opened.storage.put('long', pieces(randomBytes(part + 1)));
    for (const key of ['short', 'long']) {
      const found = JSON.stringify(opened.store.object('artifacts', `registry/one/${key}`), (name, value) =>
        name === 'body' ? undefined : value,
      );
      for (const value of ['STANDARD_IA', 'AES256', 'bucket-owner-full-control'])
        assert.ok(found.includes(value), `${key}: ${found.slice(0, 500)}`);
    }
  });

  test('catches a range that is not the one that was asked for', async () => {
    for (const lie of ['truncatedRange', 'ignoredRange'] as const) {
      await using opened = await openS3OnStrictStore({ store: { lies: { [lie]: true } } });
      const bytes = randomBytes(1000);
      await opened.storage.put('key', pieces(bytes));
      const range = { first: 10, last: 99 };
      const outcome = await opened.storage
        .get('key', { range })
        .then(async (reader) => Buffer.concat(await Array.fromAsync(reader!.body, (chunk) => Buffer.from(chunk))))
        .catch((error: unknown) => error);
      const right = outcome instanceof Buffer && outcome.equals(bytes.subarray(10, 100));
      assert.ok(right || isArtifactstoreError(outcome, 'storage_unavailable'), `${lie}: ${String(outcome)}`);
    }
  });
});

function keysOf(accessKeyId: string, secretAccessKey: string) {
  const keys = { accessKeyId, secretAccessKey };
  return { keys: async () => keys, refused: () => undefined };
}

async function fails(promise: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}

async function read(storage: Awaited<ReturnType<typeof openS3OnStrictStore>>['storage'], key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync((await storage.get(key))!.body, (chunk) => Buffer.from(chunk)));
}

async function* pieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < bytes.byteLength; first += size) yield bytes.subarray(first, first + size);
}

async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes);
  throw new Error('the source broke');
}

async function* stalled(bytes: Uint8Array, onStall: () => void): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes);
  onStall();
  await new Promise(() => undefined);
}
