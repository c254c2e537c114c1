import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ByteRange, DataPlane, StoredObject } from '../../src/dataplane/DATAPLANE.ts';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';
import { cut, edgeSizes, gather, mebibyte, storedObject, withPlane } from './planes.ts';

describe('reading', () => {
  test('gives the whole and every range as they were staged', () =>
    withPlane(async ({ plane }) => {
      for (const size of edgeSizes) {
        const bytes = randomBytes(size);
        for (const backendId of ['local', 'memory']) {
          const object = await store(plane, backendId, `whole/${size}`, bytes);
          assert.ok((await gather(await plane.open(object))).equals(bytes));
          if (size === 0) continue;
          const point = fc.oneof(fc.integer({ min: 0, max: size - 1 }), fc.constantFrom(...edgeSizes.filter((edge) => edge < size)));
          await fc.assert(
            fc.asyncProperty(point, point, fc.boolean(), async (one, other, withBlocks) => {
              const range = { first: Math.min(one, other), last: Math.max(one, other) };
              const read = await gather(await plane.open(withBlocks ? object : withoutBlocks(object), range));
              assert.ok(read.equals(bytes.subarray(range.first, range.last + 1)), JSON.stringify(range));
            }),
            { numRuns: 12 },
          );
        }
      }
    }));

  for (const digestAlgorithm of ['blake3', 'sha256'] as const) {
    test(`never gives an object with one flipped bit as a good one, by ${digestAlgorithm}`, () =>
      withPlane(
        async ({ plane, memory }) => {
          for (const size of edgeSizes.slice(1)) {
            const bytes = randomBytes(size);
            const object = await store(plane, 'memory', 'flipped', bytes);
            const position = fc.oneof(fc.integer({ min: 0, max: size - 1 }), fc.constantFrom(0, size - 1));
            await fc.assert(
              fc.asyncProperty(position, fc.integer({ min: 0, max: 7 }), position, position, async (at, bit, one, other) => {
                const damaged = Buffer.from(bytes);
                damaged[at]! ^= 1 << bit;
                await memory.put('flipped', cut(damaged, [size]));
                const range = { first: Math.min(one, other), last: Math.max(one, other) };
                for (const each of [object, withoutBlocks(object)]) {
                  await assertNeverWhole(plane, each, undefined, bytes);
                  await assertOnlyGood(plane, each, range, bytes);
                  await assertOnlyGood(plane, each, { first: at, last: at }, bytes, 'integrity_failure');
                }
                assert.equal((await plane.check(object)).result, 'failed');
              }),
              { numRuns: 8 },
            );
          }
        },
        { digestAlgorithm },
      ));
  }

  test('finds bytes that changed on the disk', () =>
    withPlane(async ({ plane, local, root }) => {
      for (const size of edgeSizes) {
        const bytes = randomBytes(size);
        const key = `changed/${size}`;
        const object = await store(plane, 'local', key, bytes);
        for (const length of [0, size - 1, size + 1, size + mebibyte].filter((each) => each >= 0 && each !== size)) {
          await local.put(key, cut(bytes, [65_536]));
          await truncate(join(root, 'store', key), length);
          await assertNeverWhole(plane, object, undefined, bytes);
          await assertNeverWhole(plane, withoutBlocks(object), size === 0 ? undefined : { first: 0, last: size - 1 }, bytes);
          assert.equal((await plane.check(object)).result, 'failed', `${size} bytes made ${length}`);
        }
      }
    }));

  test('checks a range by the bytes it was read from, also when the object changes between two reads', () =>
    withPlane(
      async ({ plane }) => {
        const bytes = randomBytes(3 * mebibyte);
        const object = withoutBlocks(await store(plane, 'swapped', 'k', bytes));
        await assertNeverWhole(plane, object, { first: mebibyte, last: 2 * mebibyte - 1 }, bytes.subarray(mebibyte, 2 * mebibyte));
      },
      { backends: [swappedAtSecondRead()] },
    ));

  test('takes block digests that cannot be right for none', () =>
    withPlane(async ({ plane }) => {
      const bytes = randomBytes(2 * mebibyte + 10);
      const object = await store(plane, 'local', 'k', bytes);
      const short = { ...object, blockDigests: object.blockDigests!.subarray(32) };
      assert.ok((await gather(await plane.open(short, { first: 5, last: mebibyte + 5 }))).equals(bytes.subarray(5, mebibyte + 6)));
      const wrong = { ...object, blockDigests: new Uint8Array(96) };
      await assertNeverWhole(plane, wrong, { first: 5, last: 6 }, bytes.subarray(5, 7));
    }));

  test('says that bytes are missing, and that a store is not there', () =>
    withPlane(async ({ plane }) => {
      for (const size of [10, 3 * mebibyte]) {
        const object = await store(plane, 'local', 'k', randomBytes(size));
        await plane.remove('local', 'k');
        for (const range of [undefined, { first: 0, last: 3 }]) {
          for (const each of [object, withoutBlocks(object)]) await assertFails(() => plane.open(each, range), 'object_not_found');
        }
        assert.equal((await plane.check(object)).result, 'missing');
        await assertFails(() => plane.open({ ...object, backendId: 'elsewhere' }), 'storage_unavailable');
        await assertFails(() => plane.check({ ...object, backendId: 'elsewhere' }), 'storage_unavailable');
      }
    }));

  test('stops, and lets the object go when the reader leaves', () => {
    const watched = counting();
    return withPlane(
      async ({ plane }) => {
        const object = await store(plane, 'counting', 'k', randomBytes(6 * mebibyte));
        for await (const _ of await plane.open(object)) break;
        for await (const _ of await plane.open(object, { first: 10, last: 5 * mebibyte })) break;
        await (await plane.open(object))[Symbol.asyncIterator]().return?.();
        await assertFails(() => plane.open({ ...object, sizeBytes: 5 * mebibyte }), 'integrity_failure');
        const controller = new AbortController();
        await assertFails(async () => {
          for await (const _ of await plane.open(object, undefined, controller.signal)) controller.abort();
        }, 'cancelled');
        await assertFails(() => plane.check(object, AbortSignal.abort()), 'cancelled');
        assert.deepEqual([watched.opened, watched.released], [5, 5]);
      },
      { backends: [watched.storage] },
    );
  });

  test('does not run ahead of its reader', () => {
    const watched = counting();
    return withPlane(
      async ({ plane }) => {
        const object = await store(plane, 'counting', 'k', randomBytes(6 * mebibyte));
        let taken = 0;
        for await (const chunk of await plane.open(object)) {
          taken += chunk.byteLength;
          assert.ok(watched.given - taken <= 2 * mebibyte);
        }
        assert.equal(taken, object.sizeBytes);
      },
      { backends: [watched.storage] },
    );
  });
});

async function store(plane: DataPlane, backendId: string, key: string, bytes: Uint8Array): Promise<StoredObject> {
  const draft = await plane.stage(backendId, cut(bytes, [65_536]));
  await plane.publish(draft, key);
  await plane.discard(draft);
  return storedObject(draft, key);
}

function withoutBlocks({ blockDigests: _, ...object }: StoredObject): StoredObject {
  return object;
}

/** The read fails with `integrity_failure`, and what came before is a true beginning, and not all, of `bytes`. */
async function assertNeverWhole(plane: DataPlane, object: StoredObject, range: ByteRange | undefined, bytes: Buffer): Promise<void> {
  const { read, failure } = await readAll(plane, object, range);
  assert.ok(isArtifactstoreError(failure, 'integrity_failure'), `wanted integrity_failure, got ${String(failure)}`);
  assert.ok(read.byteLength < Math.max(bytes.byteLength, 1), 'the whole body was delivered');
}

/** A range that is given is right, and one that is not fails with `integrity_failure` before its end. */
async function assertOnlyGood(plane: DataPlane, object: StoredObject, range: ByteRange, bytes: Buffer, code?: ErrorCode): Promise<void> {
  const { read, failure } = await readAll(plane, object, range);
  const wanted = bytes.subarray(range.first, range.last + 1);
  if (failure === undefined) assert.ok(code === undefined && read.equals(wanted));
  else assert.ok(isArtifactstoreError(failure, 'integrity_failure') && read.byteLength < wanted.byteLength, String(failure));
}

async function readAll(
  plane: DataPlane,
  object: StoredObject,
  range: ByteRange | undefined,
): Promise<{ readonly read: Buffer; readonly failure: unknown }> {
  const parts: Buffer[] = [];
  let failure: unknown;
  try {
    for await (const chunk of await plane.open(object, range)) parts.push(Buffer.from(chunk));
  } catch (error) {
    failure = error;
  }
  return { read: Buffer.concat(parts), failure };
}

async function assertFails(action: () => Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(action, (error) => isArtifactstoreError(error, code), `wanted ${code}`);
}

/** One object, in odd chunks; counts what was opened, given and let go. */
function counting(): { readonly storage: Storage; opened: number; given: number; released: number } {
  let bytes: Buffer = Buffer.alloc(0);
  const counts = { opened: 0, given: 0, released: 0 };
  const storage: Storage = {
    ...emptyStorage,
    id: 'counting',
    async put(_key, source) {
      bytes = await gather(source);
    },
    async get(_key, options = {}) {
      counts.opened += 1;
      const first = options.range?.first ?? 0;
      const part = bytes.subarray(first, (options.range?.last ?? bytes.byteLength) + 1);
      let position = 0;
      const iterator: AsyncIterator<Uint8Array> = {
        async next() {
          const chunk = part.subarray(position, position + 300_007);
          position += chunk.byteLength;
          counts.given += chunk.byteLength;
          if (chunk.byteLength > 0) return { done: false, value: chunk };
          counts.released += 1;
          return { done: true, value: undefined };
        },
        async return() {
          counts.released += 1;
          return { done: true, value: undefined };
        },
      };
      return { sizeBytes: bytes.byteLength, body: { [Symbol.asyncIterator]: () => iterator } };
    },
  };
  return Object.assign(counts, { storage });
}

/** The right bytes at the first read, others of the same length at every later one. */
function swappedAtSecondRead(): Storage {
  let bytes: Buffer = Buffer.alloc(0);
  let reads = 0;
  return {
    ...emptyStorage,
    id: 'swapped',
    async put(_key, source) {
      bytes = await gather(source);
    },
    async get(_key, options = {}) {
      reads += 1;
      const now = reads === 1 ? bytes : Buffer.alloc(bytes.byteLength, 7);
      const part = now.subarray(options.range?.first ?? 0, (options.range?.last ?? bytes.byteLength) + 1);
      return { sizeBytes: bytes.byteLength, body: cut(part, [mebibyte]) };
    },
  };
}

const emptyStorage: Omit<Storage, 'id' | 'put' | 'get' | 'drafts'> = {
  head: async () => undefined,
  create: async () => true,
  delete: async () => undefined,
  async *list() {},
  health: async () => ({ healthy: true, detail: 'ok', freeBytes: null, totalBytes: null }),
};
