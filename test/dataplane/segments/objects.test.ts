import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Segment, SegmentWrite } from '../../../src/dataplane/DATAPLANE.ts';
import { createObjectSegments } from '../../../src/dataplane/segments/objects.ts';
import { withPlane } from '../planes.ts';

const mebibyte = 1_048_576;
const write: SegmentWrite = {
  uploadId: '01a22778-b2e8-7d73-a044-78c5b985cd3a',
  backendId: 'memory',
  epoch: 1,
  segments: [],
  grows: false,
  maximumBytes: Number.MAX_SAFE_INTEGER,
  onDurable: async () => undefined,
};

async function* megabytes(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += mebibyte) yield bytes.subarray(start, start + mebibyte);
}

const lengthOf = (segments: readonly Segment[]): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

test('a slow body makes few objects, and what they hold is what came', () =>
  withPlane(async ({ plane, memory }) => {
    const objects = createObjectSegments({ ...plane, pace: { bytes: mebibyte, milliseconds: 60_000 } });
    const bytes = randomBytes(10 * mebibyte);
    const told: number[] = [];
    const { segments, failure } = await objects.append(
      memory,
      { ...write, onDurable: async (durable) => void told.push(lengthOf(durable)) },
      megabytes(bytes),
    );
    assert.equal(failure, undefined);
    assert.deepEqual(
      told,
      Array.from({ length: 9 }, (_, index) => (index + 1) * mebibyte),
    );
    assert.deepEqual(
      segments.map((segment) => segment.bytes),
      [8 * mebibyte, 2 * mebibyte],
    );
    const read = Buffer.concat(await Array.fromAsync(objects.read(memory, write.uploadId, segments), (chunk) => Buffer.from(chunk)));
    assert.equal(Buffer.compare(read, bytes), 0);
  }));

test('an upload that is in many segments already gets longer ones', () =>
  withPlane(async ({ plane, memory }) => {
    const objects = createObjectSegments({ ...plane, pace: { bytes: mebibyte, milliseconds: 60_000 } });
    const segments = Array.from({ length: 1_500 }, (_, index) => ({ name: `0-${index}-x`, bytes: 32 * mebibyte }));
    const told: number[] = [];
    const onDurable = async (durable: readonly Segment[]) => void told.push(lengthOf(durable) - lengthOf(segments));
    await objects.append(memory, { ...write, segments, onDurable }, megabytes(Buffer.alloc(6 * mebibyte)));
    assert.deepEqual(told, [2 * mebibyte, 4 * mebibyte]);
  }));
