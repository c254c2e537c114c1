import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Draft, Segment, SegmentWrite } from '../../../src/dataplane/DATAPLANE.ts';
import { segmentKey } from '../../../src/dataplane/segments/objects.ts';
import { blake3, toHex } from '../../../src/kernel/content/digest.ts';
import { cut, gather, mebibyte, type Plane, withPlane } from '../planes.ts';

const place = { uploadId: '01a22778-b2e8-7d73-a044-78c5b985cd3a', backendId: 'memory' };
const nothingYet: SegmentWrite = {
  ...{ ...place, epoch: 1, segments: [], grows: false, maximumBytes: Number.MAX_SAFE_INTEGER },
  onDurable: async () => undefined,
};
const key = 'sha256/ab/cd/object';
const sizes = [mebibyte - 1, 3 * mebibyte + 17, 9 * mebibyte, 100];

/** Appended in several calls; what was put so. */
async function appendAll({ plane }: Pick<Plane, 'plane'>, bytes: Uint8Array): Promise<readonly Segment[]> {
  let segments: readonly Segment[] = [];
  let offset = 0;
  for (const [index, size] of sizes.entries()) {
    const body = cut(bytes.subarray(offset, offset + size), [65_521, 7]);
    const appended = await plane.segments.append({ ...nothingYet, epoch: 1 + index, segments }, body);
    assert.equal(appended.failure, undefined);
    segments = appended.segments;
    offset += size;
  }
  return segments;
}

const newBytes = (): Buffer => randomBytes(sizes.reduce((sum, size) => sum + size));

function requireRight({ digestPrimary, digestSha256, sizeBytes, blockDigests }: Draft, bytes: Buffer): void {
  assert.equal(sizeBytes, bytes.length);
  assert.equal(digestPrimary, toHex(blake3(bytes)));
  assert.equal(digestSha256, createHash('sha256').update(bytes).digest('hex'));
  const blocks = Array.from({ length: Math.ceil(bytes.length / mebibyte) }, (_, index) =>
    blake3(bytes.subarray(index * mebibyte, (index + 1) * mebibyte)),
  );
  assert.equal(Buffer.compare(blockDigests!, Buffer.concat(blocks)), 0);
}

test('what one process has put into a bucket is not hashed again, and takes no copy on this machine', () =>
  withPlane(async ({ plane, memory, drafts }) => {
    const bytes = newBytes();
    const segments = await appendAll({ plane }, bytes);
    const { draft } = await plane.segments.stage({ ...place, segments, sole: false }, 'memory', {});
    assert.ok(draft.source !== undefined, 'it was hashed again');
    requireRight(draft, bytes);
    await plane.publish(draft, key);
    assert.deepEqual(await drafts(), []);
    assert.equal(Buffer.compare(await gather((await memory.get(key))!.body), bytes), 0);
    await plane.segments.check({ ...place, segments, sole: false }, { digests: new Map([['blake3', blake3(bytes)]]) });
  }));

test('what another process has put there is hashed, and so is what was continued by two', () =>
  withPlane(async ({ plane, memory, drafts }) => {
    const bytes = newBytes();
    const segments = await appendAll({ plane }, bytes);
    await withPlane(
      async (other) => {
        const { draft } = await other.plane.segments.stage({ ...place, segments, sole: false }, 'memory', {});
        assert.equal(draft.source, undefined);
        requireRight(draft, bytes);
        await other.plane.discard(draft);
        const write = { ...nothingYet, epoch: 9, segments };
        const continued = await other.plane.segments.append(write, cut(bytes.subarray(0, 1000), [999]));
        for (const each of [plane, other.plane]) {
          const both = await each.segments.stage({ ...place, segments: continued.segments, sole: false }, 'memory', {});
          assert.equal(both.draft.source, undefined);
          requireRight(both.draft, Buffer.concat([bytes, bytes.subarray(0, 1000)]));
          await each.discard(both.draft);
        }
      },
      { backends: [memory] },
    );
    assert.deepEqual(await drafts(), []);
  }));

test('a body that fails leaves digests of what counts, or none', () =>
  withPlane(async ({ plane }) => {
    const bytes = newBytes();
    const segments = await appendAll({ plane }, bytes);
    const wrong = { digests: new Map([['sha256', new Uint8Array(32)]]) };
    const refused = await plane.segments.append({ ...nothingYet, epoch: 8, segments, ...wrong }, cut(bytes.subarray(0, 70_000), [999]));
    assert.deepEqual(refused.segments, segments);
    const after = await plane.segments.stage({ ...place, segments, sole: false }, 'memory', {});
    requireRight(after.draft, bytes);
    await plane.discard(after.draft);

    async function* broken() {
      yield bytes.subarray(0, 70_000);
      throw new Error('the connection broke off');
    }
    const { segments: more } = await plane.segments.append({ ...nothingYet, epoch: 9, segments }, broken());
    const { draft } = await plane.segments.stage({ ...place, segments: more, sole: false }, 'memory', {});
    requireRight(draft, Buffer.concat([bytes, bytes.subarray(0, 70_000)]));
    await plane.discard(draft);
  }));

test('a declared digest is compared with those that are known', () =>
  withPlane(async ({ plane }) => {
    const bytes = newBytes();
    const segments = await appendAll({ plane }, bytes);
    const upload = { ...place, segments, sole: false };
    const wrong = { digests: new Map([['blake3', new Uint8Array(32)]]) };
    await assert.rejects(plane.segments.stage(upload, 'memory', wrong), { code: 'digest_mismatch' });
    await assert.rejects(plane.segments.check(upload, wrong), { code: 'digest_mismatch' });
    await assert.rejects(plane.segments.stage(upload, 'memory', { sizeBytes: 7 }), { code: 'length_mismatch' });
    // One that is not known is made of what was put.
    const sha512 = new Map([['sha512', new Uint8Array(createHash('sha512').update(bytes).digest())]]);
    const { draft } = await plane.segments.stage(upload, 'memory', { digests: sha512 });
    assert.equal(draft.source, undefined);
    await plane.discard(draft);
  }));

test('a segment that is not what was put there becomes no object', () =>
  withPlane(async ({ plane, memory }) => {
    const bytes = newBytes();
    const segments = await appendAll({ plane }, bytes);
    const { draft } = await plane.segments.stage({ ...place, segments, sole: false }, 'memory', {});
    assert.ok(draft.source !== undefined);
    const first = segmentKey(place.uploadId, segments[0]!.name);
    const stored = await gather((await memory.get(first))!.body);
    stored[5]! ^= 1;
    await memory.delete(first);
    await memory.put(first, cut(stored, [mebibyte]), { sizeBytes: stored.length });
    await assert.rejects(plane.publish(draft, key), { code: 'storage_unavailable' });
    assert.equal(await memory.get(key), undefined);
  }));
