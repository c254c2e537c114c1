import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PutOptions } from '../../../src/storage/STORAGE.ts';
import { openS3OnStrictStore } from '../../compose/open-s3.ts';

const part = 65_536;
const inParts = {
  store: { minimumPartBytes: 1 },
  settings: { multipartChunkBytes: part, multipartThresholdBytes: part },
} as const;
const inOne = { settings: { multipartChunkBytes: part } } as const;

describe('s3 storage: a body that is sent in one request as it is read', () => {
  test('whose source fails in the middle fails at once, with what the source threw, and nothing appears', async () => {
    await using opened = await openS3OnStrictStore(inOne);
    const bytes = randomBytes(4 * part);
    const source = repeatable(bytes, { failAfter: 2 * part });
    await assert.rejects(opened.storage.put('key', source, of(bytes)), /the disk broke/);
    assert.deepEqual([source.begun(), source.open()], [1, 0]);
    assert.deepEqual(opened.store.objects('artifacts'), []);
  });

  test('lets go of its source after every attempt that broke, was answered early, or was stopped', async () => {
    await using opened = await openS3OnStrictStore({ ...inOne, calls: { attempts: 1 } });
    const { storage, store } = opened;
    const bytes = randomBytes(8_388_608);
    for (const faults of [{ resetConnection: true }, { status: 503 }] as const) {
      const source = repeatable(bytes);
      store.setFaults({ ...faults, onlyOperations: ['PutObject'] });
      await assert.rejects(storage.put('key', source, of(bytes)), { code: 'storage_unavailable' });
      await until(() => source.open() === 0);
      assert.equal(source.begun(), 4);
    }
    store.setFaults({ slowBodyBytesPerSecond: 1_000_000 });
    const stop = new AbortController();
    const source = repeatable(bytes);
    const stopped = storage.put('key', source, { ...of(bytes), signal: stop.signal });
    await until(() => source.open() === 1);
    stop.abort();
    await assert.rejects(stopped, { code: 'cancelled' });
    await until(() => source.open() === 0);
    assert.deepEqual(store.objects('artifacts'), []);
  });
});

describe('s3 storage: a put', () => {
  test('is not done when something answers 200 that is no store', async () => {
    await using page = await answering(200, '<html>welcome</html>');
    await using opened = await openS3OnStrictStore({ settings: { ...inOne.settings, endpointUrl: page.url }, calls: { attempts: 1 } });
    for (const length of [10, 4 * part]) {
      const bytes = randomBytes(length);
      await assert.rejects(opened.storage.put('key', repeatable(bytes), of(bytes)), {
        code: 'storage_unavailable',
        message: /ARTIFACTSTORE_S3_ENDPOINT_URL/,
      });
    }
  });

  test('may take longer on a slow line than the store may take to answer', async () => {
    for (const settings of [inParts, inOne]) {
      await using opened = await openS3OnStrictStore({ ...settings, calls: { answerMilliseconds: 100, attempts: 3 } });
      const bytes = randomBytes(2 * part + 1);
      opened.store.setFaults({ slowBodyBytesPerSecond: 300_000, onlyOperations: ['PutObject', 'UploadPart'] });
      await opened.storage.put('key', repeatable(bytes), of(bytes));
      assert.equal((await opened.storage.head('key'))?.sizeBytes, bytes.byteLength);
    }
  });

  test('that waits for its turn is stopped while it waits, and those behind it are not', async () => {
    await using opened = await openS3OnStrictStore(inParts);
    const { storage } = opened;
    const going = Promise.withResolvers<void>();
    const bytes = randomBytes(2 * part);
    let waiting = 0;
    async function* held(): AsyncGenerator<Uint8Array> {
      waiting += 1;
      await going.promise;
      yield bytes;
    }
    const busy = Array.from({ length: 8 }, (_, index) => storage.put(`busy${index}`, held()));
    await until(() => waiting === 8);
    const stop = new AbortController();
    const stopped = storage.put('stopped', held(), { signal: stop.signal });
    const behind = storage.put('behind', held());
    stop.abort();
    await assert.rejects(stopped, { code: 'cancelled' });
    assert.equal(waiting, 8);
    going.resolve();
    await Promise.all([...busy, behind]);
    assert.equal(await storage.head('stopped'), undefined);
    // Every place is free again.
    await Promise.all(Array.from({ length: 9 }, (_, index) => storage.put(`busy${index}`, held())));
  });
});

describe('s3 storage: an upload in parts', () => {
  test('numbers them without gaps, however the source cuts them', async () => {
    await using opened = await openS3OnStrictStore(inParts);
    const bytes = randomBytes(40 * part + 1);
    let numbers: number[] = [];
    const onRequest = (message: unknown): void => {
      const { url = '' } = (message as { readonly request: IncomingMessage }).request;
      const number = new URL(url, opened.store.url).searchParams.get('partNumber');
      if (number !== null) numbers.push(Number(number));
    };
    subscribe('http.server.request.start', onRequest);
    for (const length of [bytes.byteLength, 3 * part, part, 1000]) {
      numbers = [];
      await opened.storage.put('key', chunks(bytes, length));
      assert.ok(opened.store.object('artifacts', 'registry/one/key')!.body.equals(bytes));
      assert.deepEqual(
        numbers.sort((a, b) => a - b),
        Array.from({ length: 41 }, (_, index) => index + 1),
        `${length}`,
      );
    }
    unsubscribe('http.server.request.start', onRequest);
  });

  test('that was dropped while it was completed is not taken for done because an older object of its length lies there', async () => {
    let behind = 3_600_000;
    await using opened = await openS3OnStrictStore({ ...inParts, store: { ...inParts.store, clock: () => Date.now() - behind } });
    const { storage, store } = opened;
    store.place('artifacts', `registry/one/${objectKey}`, randomBytes(2 * part));
    behind = 0;
    const dropped = Promise.withResolvers<void>();
    store.setFaults({ holdUntil: dropped.promise, onlyOperations: ['CompleteMultipartUpload'] });
    const putting = storage.put(objectKey, chunks(randomBytes(2 * part), 1000));
    putting.catch(() => undefined);
    await until(() => store.requests.CompleteMultipartUpload === 1);
    assert.equal(await storage.reclaim(-1), 1);
    dropped.resolve();
    await assert.rejects(putting, { code: 'storage_unavailable', message: /NoSuchUpload/ });
  });

  test('whose completion was not answered is known again at a store whose clock is behind', async () => {
    await using opened = await openS3OnStrictStore({
      ...inParts,
      store: { ...inParts.store, clock: () => Date.now() - 120_000 },
      calls: { attempts: 1 },
    });
    const bytes = randomBytes(2 * part + 1);
    opened.store.setFaults({ dropAnswerAfter: 'CompleteMultipartUpload', times: 1 });
    await opened.storage.put('key', chunks(bytes, 1000));
    assert.ok(opened.store.object('artifacts', 'registry/one/key')!.body.equals(bytes));
  });

  test('sends as many parts at once beside short puts as alone', async () => {
    await using opened = await openS3OnStrictStore(inParts);
    const { storage, store } = opened;
    const going = Promise.withResolvers<void>();
    async function* held(): AsyncGenerator<Uint8Array> {
      await going.promise;
      yield randomBytes(100);
    }
    const short = Array.from({ length: 5 }, (_, index) => storage.put(`short${index}`, held(), { sizeBytes: 100 }));
    const over = Promise.withResolvers<void>();
    store.setFaults({ holdUntil: over.promise, onlyOperations: ['UploadPart'] });
    const stop = new AbortController();
    const long = storage.put('long', chunks(randomBytes(8 * part), 1000), { sizeBytes: 8 * part, signal: stop.signal });
    long.catch(() => undefined);
    await until(() => store.requests.UploadPart === 4);
    stop.abort();
    await assert.rejects(long, { code: 'cancelled' });
    over.resolve();
    going.resolve();
    await Promise.all(short);
  });

  test('that failed does not wait long for a store that no longer answers', async () => {
    await using opened = await openS3OnStrictStore({ ...inParts, calls: { attempts: 1 } });
    const { storage, store } = opened;
    store.setFaults({ stopAnswering: true, onlyOperations: ['AbortMultipartUpload'] });
    const begun = performance.now();
    await assert.rejects(storage.put(objectKey, failing(randomBytes(3 * part))), /the source broke/);
    assert.ok(performance.now() - begun < 20_000);
    store.setFaults(undefined);
    assert.equal(await storage.reclaim(-1), 1);
  });
});

/** Shaped like an object's: uploads under other keys are not ours to drop. */
const objectKey = `blake3/ab/cd/abcd${'0'.repeat(60)}`;

function of(bytes: Uint8Array): PutOptions {
  return { sizeBytes: bytes.byteLength, repeatable: true, digestSha256: createHash('sha256').update(bytes).digest('hex') };
}

interface Repeatable extends AsyncIterable<Uint8Array> {
  /** How often it was begun, and how many of these have not ended. */
  begun(): number;
  open(): number;
}

function repeatable(bytes: Uint8Array, { failAfter }: { readonly failAfter?: number } = {}): Repeatable {
  let begun = 0;
  let ended = 0;
  return {
    begun: () => begun,
    open: () => begun - ended,
    async *[Symbol.asyncIterator]() {
      begun += 1;
      try {
        for (let at = 0; at < bytes.byteLength; at += 16_384) {
          if (failAfter !== undefined && at >= failAfter) throw new Error('the disk broke');
          yield bytes.subarray(at, at + 16_384);
        }
      } finally {
        ended += 1;
      }
    },
  };
}

async function* chunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += length) yield bytes.subarray(at, at + length);
}

async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error('the source broke');
}

async function until(holds: () => boolean): Promise<void> {
  const ends = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < ends, `it never came about: ${holds}`);
    await sleep(5);
  }
}

async function answering(status: number, page: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(status, { 'content-type': 'text/html' }).end(page));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
