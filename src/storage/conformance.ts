import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import type { ByteRange, DraftDirectory, ListedObject, Storage } from './STORAGE.ts';

export interface OpenedStorage {
  readonly storage: Storage;
  close(): Promise<void>;
}

/**
 * What every backend must do, for `node --test`. `open` gives a backend that is empty and that nobody else uses; it is called once
 * for each case. An outside author calls this from a test file of their own.
 */
export function storageConformance(name: string, open: () => Promise<OpenedStorage>): void {
  const check: Check = (title, body) => {
    test(title, async (context) => {
      const { storage, close } = await open();
      try {
        await body(storage, context);
      } finally {
        await close();
      }
    });
  };

  describe(`storage: ${name}`, () => {
    objectCases(check);
    rangeCases(check);
    replaceCases(check);
    failureCases(check);
    listCases(check);
    draftCases(check);
  });
}

type Check = (title: string, body: (storage: Storage, context: TestContext) => Promise<void>) => void;

function objectCases(check: Check): void {
  check('gives back the bytes that were put', async (storage) => {
    for (const size of [1, 4096, 65_535, 65_536, 65_537, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 5]) {
      const bytes = randomBytes(size);
      await storage.put(`sizes/${size}`, inChunks(bytes, 50_021), { sizeBytes: size });
      assert.deepEqual(await storage.head(`sizes/${size}`), { sizeBytes: size });
      assert.ok((await bytesAt(storage, `sizes/${size}`))!.equals(bytes), `${size} bytes`);
    }
  });

  check('keeps an empty object', async (storage) => {
    for (const [key, source] of [
      ['empty/no-chunk', inChunks(Buffer.alloc(0), 1)],
      ['empty/empty-chunks', chunksOf([Buffer.alloc(0), Buffer.alloc(0)])],
    ] as const) {
      await storage.put(key, source, { sizeBytes: 0 });
      assert.deepEqual(await storage.head(key), { sizeBytes: 0 });
      assert.equal((await bytesAt(storage, key))?.byteLength, 0);
    }
  });

  check('does not keep a hold on the chunks of the source', async (storage) => {
    const bytes = randomBytes(300_000);
    await storage.put('reused', reusingOneBuffer(bytes));
    assert.ok((await bytesAt(storage, 'reused'))!.equals(bytes));
  });

  check('answers undefined for what is not there', async (storage) => {
    await storage.put('some/key', chunksOf([Buffer.from('x')]));
    for (const key of ['absent', 'some', 'some/key/below', 'some/ke', 'some/key2', 'other/key']) {
      assert.equal(await storage.get(key), undefined, key);
      assert.equal(await storage.head(key), undefined, key);
    }
  });

  check('deletes, and a second time too', async (storage) => {
    await storage.put('a/b', chunksOf([Buffer.from('x')]));
    await storage.delete('a/b');
    assert.equal(await storage.get('a/b'), undefined);
    assert.equal(await storage.head('a/b'), undefined);
    await storage.delete('a/b');
    await storage.delete('a');
    await storage.delete('never/was');
    await storage.put('a/b', chunksOf([Buffer.from('again')]));
    assert.equal(String(await bytesAt(storage, 'a/b')), 'again');
  });

  check('takes odd but legal keys, and tells them apart', async (storage) => {
    const keys = oddKeys.map((odd) => `odd/${odd}`);
    for (const key of keys) await storage.put(key, chunksOf([Buffer.from(key)]));
    for (const key of keys) assert.equal(String(await bytesAt(storage, key)), key);
    assert.deepEqual((await listed(storage, 'odd/')).map(({ key }) => key).sort(), [...keys].sort());
  });

  check('refuses keys that no program of ours makes', async (storage) => {
    for (const key of illegalKeys) {
      await assertFails(storage.put(key, chunksOf([Buffer.from('x')])), 'internal');
      await assertFails(storage.get(key), 'internal');
      await assertFails(storage.head(key), 'internal');
      await assertFails(storage.delete(key), 'internal');
    }
    assert.deepEqual(await listed(storage, ''), []);
  });

  check('is healthy', async (storage) => {
    const health = await storage.health();
    assert.equal(health.healthy, true, health.detail);
    assert.equal(typeof health.detail, 'string');
    for (const bytes of [health.freeBytes, health.totalBytes]) assert.ok(bytes === null || bytes >= 0);
    assert.deepEqual(await listed(storage, ''), []);
  });

  check('carries a large object in bounded memory', async (storage) => {
    const chunk = randomBytes(65_536);
    const count = 1024;
    await storage.put('large', repeated(chunk, count));
    const reader = await storage.get('large');
    assert.equal(reader?.sizeBytes, chunk.byteLength * count);
    let position = 0;
    for await (const part of reader!.body) {
      assert.ok(part.byteLength <= 16 * mebibyte, 'a chunk must not be the whole object');
      for (let index = 0; index < part.byteLength; ) {
        const from = (position + index) % chunk.byteLength;
        const length = Math.min(part.byteLength - index, chunk.byteLength - from);
        assert.equal(Buffer.compare(part.subarray(index, index + length), chunk.subarray(from, from + length)), 0);
        index += length;
      }
      position += part.byteLength;
    }
    assert.equal(position, chunk.byteLength * count);
  });
}

function rangeCases(check: Check): void {
  for (const size of [1, 1000, 65_537, 2 * mebibyte + 3]) {
    check(`reads ranges of ${size} bytes at every edge`, async (storage) => {
      const bytes = randomBytes(size);
      await storage.put('ranged', inChunks(bytes, 70_001));
      const edges = [0, 1, 2, 65_535, 65_536, mebibyte - 1, mebibyte, mebibyte + 1, size - 2, size - 1];
      const points = [...new Set(edges.filter((point) => point >= 0 && point < size))];
      for (const first of points) {
        for (const last of points.filter((point) => point >= first)) {
          const reader = await storage.get('ranged', { range: { first, last } });
          assert.equal(reader?.sizeBytes, size);
          assert.ok((await gather(reader!.body)).equals(bytes.subarray(first, last + 1)), `${first}-${last}`);
        }
      }
    });
  }

  check('answers undefined for a range of what is not there', async (storage) => {
    assert.equal(await storage.get('absent', { range: { first: 0, last: 0 } }), undefined);
  });

  check('lets go when a reader ends early or never begins', async (storage) => {
    await storage.put('large', repeated(randomBytes(65_536), 64));
    for (const taken of [0, 1, 2]) {
      const reader = await storage.get('large');
      const iterator = reader!.body[Symbol.asyncIterator]();
      for (let index = 0; index < taken; index++) assert.equal((await iterator.next()).done, false);
      await iterator.return?.();
    }
    await storage.delete('large');
  });
}

function replaceCases(check: Check): void {
  check('replaces in one step, also while the old object is read', async (storage) => {
    const [old, fresh] = [randomBytes(4 * mebibyte), randomBytes(4 * mebibyte + 7)];
    await storage.put('k', inChunks(old, 65_536));
    await assertReadIsWhole(storage, 'k', old, () => storage.put('k', inChunks(fresh, 65_536)));
    assert.ok((await bytesAt(storage, 'k'))!.equals(fresh));
  });

  check('keeps an object readable to the end when it is deleted meanwhile', async (storage) => {
    const bytes = randomBytes(4 * mebibyte);
    await storage.put('k', inChunks(bytes, 65_536));
    await assertReadIsWhole(storage, 'k', bytes, () => storage.delete('k'));
    assert.equal(await storage.get('k'), undefined);
  });

  check('shows nothing before the source has ended', async (storage) => {
    let seen: unknown = 'not looked';
    async function* source(): AsyncGenerator<Uint8Array> {
      yield randomBytes(200_000);
      seen = [await storage.head('k'), await storage.get('k'), await listed(storage, '')];
      yield randomBytes(200_000);
    }
    await storage.put('k', source());
    assert.deepEqual(seen, [undefined, undefined, []]);
  });

  check('ends with one whole object when many put the same key', async (storage) => {
    const candidates = Array.from({ length: 12 }, () => randomBytes(150_000));
    await Promise.all(candidates.map((bytes) => storage.put('same/key', inChunks(bytes, 40_000))));
    const bytes = await bytesAt(storage, 'same/key');
    assert.ok(candidates.some((candidate) => candidate.equals(bytes!)));
    assert.equal((await listed(storage, '')).length, 1);
  });
}

function failureCases(check: Check): void {
  for (const [when, previous] of [
    ['there was nothing', undefined],
    ['there was an object', Buffer.from('previous')],
  ] as const) {
    const prepared = (title: string, body: (storage: Storage) => Promise<void>): void =>
      check(`${title}, where ${when}`, async (storage) => {
        if (previous !== undefined) await storage.put('k', chunksOf([previous]));
        await body(storage);
        assert.deepEqual(await bytesAt(storage, 'k'), previous);
        assert.equal((await listed(storage, '')).length, previous === undefined ? 0 : 1);
      });

    prepared('leaves the previous state when the source throws midway', async (storage) => {
      const fault = new Error('the source broke');
      async function* source(): AsyncGenerator<Uint8Array> {
        yield randomBytes(300_000);
        throw fault;
      }
      await assert.rejects(storage.put('k', source()), (error) => error === fault);
    });

    prepared('leaves the previous state when it is stopped midway', async (storage) => {
      const controller = new AbortController();
      let released = false;
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          yield randomBytes(300_000);
          controller.abort();
          yield randomBytes(300_000);
        } finally {
          released = true;
        }
      }
      await assertFails(storage.put('k', source(), { signal: controller.signal }), 'cancelled');
      assert.ok(released, 'the source was told');
    });

    prepared('leaves the previous state when it is stopped while the source hangs', async (storage) => {
      const controller = new AbortController();
      async function* source(): AsyncGenerator<Uint8Array> {
        yield randomBytes(1000);
        setImmediate(() => controller.abort());
        await new Promise(() => undefined);
      }
      await assertFails(storage.put('k', source(), { signal: controller.signal }), 'cancelled');
    });

    prepared('leaves the previous state when the length is not the declared one', async (storage) => {
      for (const sizeBytes of [0, 299_999, 300_001]) {
        await assertFails(storage.put('k', inChunks(randomBytes(300_000), 65_536), { sizeBytes }), 'length_mismatch');
      }
    });
  }

  check('does nothing for a signal that was given already', async (storage) => {
    await storage.put('k', chunksOf([Buffer.from('x')]));
    const signal = AbortSignal.abort();
    await assertFails(storage.put('k', chunksOf([Buffer.from('y')]), { signal }), 'cancelled');
    await assertFails(storage.get('k', { signal }), 'cancelled');
    await assertFails(storage.head('k', { signal }), 'cancelled');
    await assertFails(storage.delete('k', { signal }), 'cancelled');
    assert.equal(String(await bytesAt(storage, 'k')), 'x');
  });

  check('stops a read', async (storage) => {
    const bytes = randomBytes(8 * mebibyte);
    await storage.put('k', inChunks(bytes, 65_536));
    const controller = new AbortController();
    const reader = await storage.get('k', { signal: controller.signal });
    const read = async (): Promise<void> => {
      for await (const _ of reader!.body) controller.abort();
    };
    await assertFails(read(), 'cancelled');
  });
}

function listCases(check: Check): void {
  check('lists by prefix, with size and time', async (storage) => {
    const before = Date.now();
    for (const [key, size] of [
      ['p/a', 0],
      ['p/ab/c', 1],
      ['p/ab/d', 2],
      ['q/a', 3],
      ['pa', 4],
    ] as const) {
      await storage.put(key, chunksOf([Buffer.alloc(size)]));
    }
    const keysUnder = async (prefix: string): Promise<readonly string[]> => (await listed(storage, prefix)).map(({ key }) => key).sort();
    assert.deepEqual(await keysUnder(''), ['p/a', 'p/ab/c', 'p/ab/d', 'pa', 'q/a']);
    assert.deepEqual(await keysUnder('p'), ['p/a', 'p/ab/c', 'p/ab/d', 'pa']);
    assert.deepEqual(await keysUnder('p/'), ['p/a', 'p/ab/c', 'p/ab/d']);
    assert.deepEqual(await keysUnder('p/a'), ['p/a', 'p/ab/c', 'p/ab/d']);
    assert.deepEqual(await keysUnder('p/ab/'), ['p/ab/c', 'p/ab/d']);
    assert.deepEqual(await keysUnder('p/ab/c'), ['p/ab/c']);
    assert.deepEqual(await keysUnder('p/ab/c/'), []);
    assert.deepEqual(await keysUnder('x/'), []);
    const day = 86_400_000;
    for (const { key, sizeBytes, modifiedMilliseconds } of await listed(storage, '')) {
      assert.deepEqual(await storage.head(key), { sizeBytes });
      assert.ok(Number.isInteger(modifiedMilliseconds) && Math.abs(modifiedMilliseconds - before) < day, 'milliseconds since the epoch');
    }
  });

  check('lists more than 1,000 objects, each once', async (storage) => {
    const keys = Array.from({ length: 1007 }, (_, index) => `many/${String(index % 7)}/${String(index)}`);
    await inParallel(keys, 16, (key) => storage.put(key, chunksOf([Buffer.from(key)])));
    assert.deepEqual((await listed(storage, 'many/')).map(({ key }) => key).sort(), keys.sort());
  });

  check('stops a listing, and lets one end early', async (storage) => {
    for (const key of ['a', 'b', 'c']) await storage.put(key, chunksOf([Buffer.from(key)]));
    for await (const _ of storage.list('')) break;
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      for await (const _ of storage.list('', { signal: controller.signal })) controller.abort();
    };
    await assertFails(run(), 'cancelled');
  });
}

function draftCases(check: Check): void {
  const withDrafts = (title: string, body: (storage: Storage, drafts: DraftDirectory) => Promise<void>): void =>
    check(title, async (storage, context) => {
      if (storage.drafts === undefined) context.skip('this backend takes no drafts');
      else await body(storage, storage.drafts);
    });

  withDrafts('publishes a draft, which stays', async (storage, drafts) => {
    const bytes = randomBytes(100_000);
    const draft = await makeDraft(drafts, bytes);
    assert.deepEqual(await listed(storage, ''), [], 'a draft does not show');
    await drafts.publish(draft, 'made/of/draft');
    assert.ok((await bytesAt(storage, 'made/of/draft'))!.equals(bytes));
    assert.equal((await stat(draft)).size, bytes.byteLength);
    await unlink(draft);
    assert.ok((await bytesAt(storage, 'made/of/draft'))!.equals(bytes));
  });

  withDrafts('publishes one draft twice, at the same key and at others', async (storage, drafts) => {
    const bytes = randomBytes(1000);
    const draft = await makeDraft(drafts, bytes);
    for (const key of ['k', 'k', 'other/k', 'k']) await drafts.publish(draft, key);
    await storage.delete('k');
    assert.ok((await bytesAt(storage, 'other/k'))!.equals(bytes));
    await unlink(draft);
    assert.equal((await listed(storage, '')).length, 1);
  });

  withDrafts('replaces an object by a draft in one step, also while it is read', async (storage, drafts) => {
    const [old, fresh] = [randomBytes(4 * mebibyte), randomBytes(3 * mebibyte)];
    await storage.put('k', inChunks(old, 65_536));
    const draft = await makeDraft(drafts, fresh);
    await assertReadIsWhole(storage, 'k', old, () => drafts.publish(draft, 'k'));
    assert.ok((await bytesAt(storage, 'k'))!.equals(fresh));
  });

  withDrafts('publishes many drafts at one key, and one of them is there', async (storage, drafts) => {
    const candidates = Array.from({ length: 8 }, () => randomBytes(10_000));
    await Promise.all(candidates.map(async (bytes) => drafts.publish(await makeDraft(drafts, bytes), 'contended/key')));
    const bytes = await bytesAt(storage, 'contended/key');
    assert.ok(candidates.some((candidate) => candidate.equals(bytes!)));
  });

  withDrafts('refuses a draft that is not there', async (storage, drafts) => {
    await storage.put('k', chunksOf([Buffer.from('previous')]));
    await assertFails(drafts.publish(join(drafts.directory, randomUUID()), 'k'), 'storage_unavailable');
    await assertFails(drafts.publish(join(drafts.directory, randomUUID()), 'fresh/key'), 'storage_unavailable');
    assert.equal(String(await bytesAt(storage, 'k')), 'previous');
    assert.equal(await storage.head('fresh/key'), undefined);
  });

  withDrafts('refuses to publish at an illegal key', async (_storage, drafts) => {
    const draft = await makeDraft(drafts, Buffer.from('x'));
    for (const key of illegalKeys) await assertFails(drafts.publish(draft, key), 'internal');
  });
}

async function assertFails(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    return true;
  });
}

/** Reads the object, and lets `meanwhile` happen after its first chunk: the rest is still the old bytes, or the read throws. */
async function assertReadIsWhole(storage: Storage, key: string, bytes: Buffer, meanwhile: () => Promise<void>): Promise<void> {
  const reader = await storage.get(key);
  assert.equal(reader?.sizeBytes, bytes.byteLength);
  const parts: Buffer[] = [];
  for await (const chunk of reader!.body) {
    parts.push(Buffer.from(chunk));
    if (parts.length === 1) await meanwhile();
  }
  assert.ok(Buffer.concat(parts).equals(bytes));
}

async function makeDraft(drafts: DraftDirectory, bytes: Uint8Array): Promise<string> {
  const path = join(drafts.directory, randomUUID());
  await using handle = await open(path, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
  return path;
}

async function bytesAt(storage: Storage, key: string, range?: ByteRange): Promise<Buffer | undefined> {
  const reader = await storage.get(key, range === undefined ? {} : { range });
  return reader === undefined ? undefined : await gather(reader.body);
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function listed(storage: Storage, prefix: string): Promise<readonly ListedObject[]> {
  return await Array.fromAsync(storage.list(prefix));
}

async function inParallel<T>(items: readonly T[], width: number, action: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < bytes.byteLength; first += size) yield bytes.subarray(first, first + size);
}

async function* reusingOneBuffer(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(7001);
  for (let first = 0; first < bytes.byteLength; first += buffer.byteLength) {
    const part = bytes.subarray(first, first + buffer.byteLength);
    buffer.set(part);
    yield buffer.subarray(0, part.byteLength);
    buffer.fill(0xee);
  }
}

async function* repeated(chunk: Uint8Array, count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield chunk;
}

const mebibyte = 1_048_576;

const oddKeys: readonly string[] = [
  'with space',
  'plus+and%20percent%',
  'question?mark&ampersand=equals',
  'hash#tag',
  'quote"\'`',
  'colon:semicolon;comma,',
  'paren()[]{}<>',
  'dollar$at@bang!star*',
  'tilde~caret^pipe|',
  '.leading-dot',
  'trailing-dot.',
  '...',
  '-dash',
  'UPPER',
  'upper',
  'ünïcödé',
  'u\u0308nicode-decomposed',
  '日本語',
  '\u{1f4e6}',
  'tab\tand\nnewline',
  'x'.repeat(200),
  'deep/er/and/deep/er/still',
];

const illegalKeys: readonly string[] = [
  '',
  '/',
  '/absolute',
  'trailing/',
  'a//b',
  '.',
  '..',
  '../outside',
  'a/../b',
  'a/./b',
  'a/..',
  'nul\0byte',
  'back\\slash',
  'drafts',
  'drafts/x',
  'lone\ud800surrogate',
  'x'.repeat(1025),
];
