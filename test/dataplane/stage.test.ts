import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { blake3 as wasmBlake3 } from 'hash-wasm';
import type { Expected } from '../../src/dataplane/DATAPLANE.ts';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import { cut, edgeSizes, gather, mebibyte, storedObject, withPlane } from './planes.ts';

const ways = [
  { digestAlgorithm: 'blake3', hashThreads: 0 },
  { digestAlgorithm: 'blake3', hashThreads: 1 },
  { digestAlgorithm: 'sha256', hashThreads: 1 },
  { digestAlgorithm: 'blake3', hashThreads: 1, bufferBlocks: 0 },
  { digestAlgorithm: 'blake3', hashThreads: 1, bufferBlocks: 1 },
] as const;

describe('staging', () => {
  for (const way of ways) {
    test(`digests any bytes in any chunks as others do, ${JSON.stringify(way)}`, () =>
      withPlane(async ({ plane, drafts }) => {
        const sizes = fc.oneof(fc.constantFrom(...edgeSizes), fc.integer({ min: 0, max: 2.5 * mebibyte }));
        const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.constantFrom(65_536, mebibyte, 2 * mebibyte)), {
          minLength: 1,
          maxLength: 5,
        });
        await fc.assert(
          fc.asyncProperty(sizes, lengths, fc.boolean(), async (size, chunkLengths, declared) => {
            const bytes = randomBytes(size);
            // Tiny chunks of a large file would only take time.
            const source = cut(
              bytes,
              chunkLengths.map((length) => Math.max(length, Math.ceil(size / 1000))),
            );
            const draft = await plane.stage('local', source, declared ? { sizeBytes: size } : {});
            const [sha256, blake3] = [createHash('sha256').update(bytes).digest('hex'), await wasmBlake3(bytes)];
            assert.equal(draft.sizeBytes, size);
            assert.equal(draft.digestSha256, sha256);
            assert.equal(draft.digestAlgorithm, way.digestAlgorithm);
            assert.equal(draft.digestPrimary, way.digestAlgorithm === 'blake3' ? blake3 : sha256);
            assert.equal(draft.contentAddress, `${way.digestAlgorithm}:${draft.digestPrimary}`);
            assert.equal(
              draft.blockDigests === undefined ? undefined : Buffer.from(draft.blockDigests).toString('hex'),
              await blockDigestsOf(bytes),
            );
            await plane.publish(draft, 'any/key');
            assert.ok((await gather(await plane.open(storedObject(draft, 'any/key')))).equals(bytes));
            await plane.discard(draft);
          }),
          { numRuns: 15 },
        );
        assert.deepEqual(await drafts(), []);
      }, way));
  }

  test('checks what was declared, and leaves nothing of what does not match', () =>
    withPlane(async ({ plane, drafts }) => {
      for (const size of [0, 10, 70_000, 2 * mebibyte + 1]) {
        const bytes = randomBytes(size);
        const digests = Object.fromEntries(['sha256', 'sha512'].map((name) => [name, createHash(name).update(bytes).digest()]));
        const good: Expected = {
          sizeBytes: size,
          maximumBytes: size,
          digests: new Map([...Object.entries(digests), ['blake3', Buffer.from(await wasmBlake3(bytes), 'hex')]]),
        };
        await plane.discard(await plane.stage('local', cut(bytes, [50_000]), good));
        const bad: [Expected, ErrorCode, RegExp?][] = [
          [{ sizeBytes: size + 1 }, 'length_mismatch'],
          ...['blake3', 'sha256', 'sha512'].map((name): [Expected, ErrorCode, RegExp] => [
            { digests: new Map([...good.digests!, [name, randomBytes(good.digests!.get(name)!.byteLength)]]) },
            'digest_mismatch',
            new RegExp(name),
          ]),
          [{ digests: new Map([['sha256', Buffer.alloc(0)]]) }, 'digest_mismatch'],
          [{ digests: new Map([['crc32', Buffer.alloc(4)]]) }, 'invalid_value', /crc32/],
        ];
        if (size > 0) bad.push([{ sizeBytes: size - 1 }, 'length_mismatch'], [{ maximumBytes: size - 1 }, 'body_too_large']);
        for (const [expected, code, message] of bad) {
          for (const backend of ['local', 'memory']) {
            await assertFails(plane.stage(backend, cut(bytes, [50_000]), expected), code, message);
          }
        }
      }
      assert.deepEqual(await drafts(), []);
    }));

  test('refuses a body that is too large as soon as it is', () =>
    withPlane(async ({ plane, drafts }) => {
      let released = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield randomBytes(10_000);
        } finally {
          released = true;
        }
      }
      await assertFails(plane.stage('local', endless(), { maximumBytes: 3 * mebibyte }), 'body_too_large');
      assert.ok(released);
      await assertFails(plane.stage('local', endless(), { sizeBytes: 12 }), 'length_mismatch');
      assert.deepEqual(await drafts(), []);
    }));

  for (const before of [0, 1000, 100_000, 5 * mebibyte]) {
    test(`leaves nothing when the source fails or is stopped after ${before} bytes`, () =>
      withPlane(
        async ({ plane, drafts }) => {
          const fault = new Error('the source broke');
          async function* failing(): AsyncGenerator<Uint8Array> {
            yield* cut(Buffer.alloc(before), [65_536]);
            throw fault;
          }
          await assert.rejects(plane.stage('local', failing()), (error) => error === fault);

          const controller = new AbortController();
          async function* hanging(): AsyncGenerator<Uint8Array> {
            yield* cut(Buffer.alloc(before), [65_536]);
            setImmediate(() => controller.abort());
            await new Promise(() => undefined);
          }
          await assertFails(plane.stage('local', hanging(), {}, controller.signal), 'cancelled');
          await assertFails(plane.stage('memory', hanging(), {}, AbortSignal.abort()), 'cancelled');
          assert.deepEqual(await drafts(), []);

          // Every buffer came back: with one block in stock, the next file still gets it.
          const bytes = randomBytes(2 * mebibyte);
          assert.equal((await plane.stage('local', cut(bytes, [65_536]))).digestSha256, createHash('sha256').update(bytes).digest('hex'));
        },
        { bufferBlocks: 1, hashThreads: 1 },
      ));
  }

  test('asks the source for no more while its bytes wait to be written', () =>
    withPlane(
      async ({ plane }) => {
        let asked = 0;
        let answered = 0;
        const source: AsyncIterable<Uint8Array> = {
          [Symbol.asyncIterator]: () => ({
            async next() {
              asked += 1;
              assert.equal(asked, answered + 1, 'one chunk at a time');
              await new Promise(setImmediate);
              answered += 1;
              return answered > 100 ? { done: true, value: undefined } : { done: false, value: Buffer.alloc(65_536) };
            },
          }),
        };
        assert.equal((await plane.stage('local', source)).sizeBytes, 100 * 65_536);
      },
      { bufferBlocks: 0 },
    ));

  test('keeps memory bounded by the number of streams, with a stock that is too small for them', () =>
    withPlane(
      async ({ plane, drafts }) => {
        const [streams, size] = [16, 12 * mebibyte];
        const chunk = randomBytes(65_536);
        const before = process.memoryUsage.rss();
        let peak = before;
        async function* source(): AsyncGenerator<Uint8Array> {
          for (let sent = 0; sent < size; sent += chunk.byteLength) {
            peak = Math.max(peak, process.memoryUsage.rss());
            yield chunk;
          }
        }
        const staged = await Promise.all(Array.from({ length: streams }, () => plane.stage('local', source())));
        assert.equal(new Set(staged.map((draft) => draft.contentAddress)).size, 1);
        assert.ok(peak - before < 96 * mebibyte, `${Math.round((peak - before) / mebibyte)} MiB for ${(streams * size) / mebibyte} MiB`);
        await Promise.all(staged.map((draft) => plane.discard(draft)));
        assert.deepEqual(await drafts(), []);
      },
      { bufferBlocks: 4 },
    ));

  test('says which store cannot be used', () =>
    withPlane(async ({ plane, root }) => {
      await rm(join(root, 'store'), { recursive: true });
      for (const size of [10, 5 * mebibyte]) {
        await assertFails(plane.stage('local', cut(Buffer.alloc(size), [65_536])), 'storage_unavailable', /ENOENT/);
      }
      await assertFails(plane.stage('elsewhere', cut(Buffer.alloc(1), [1])), 'storage_unavailable', /elsewhere/);
    }));
});

async function blockDigestsOf(bytes: Buffer): Promise<string | undefined> {
  if (bytes.byteLength <= mebibyte) return undefined;
  let digests = '';
  for (let first = 0; first < bytes.byteLength; first += mebibyte) digests += await wasmBlake3(bytes.subarray(first, first + mebibyte));
  return digests;
}

async function assertFails(promise: Promise<unknown>, code: ErrorCode, message = /./): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    assert.match(error.message, message);
    return true;
  });
}
