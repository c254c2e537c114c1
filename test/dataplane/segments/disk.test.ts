import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Appended, Segment, SegmentWrite } from '../../../src/dataplane/DATAPLANE.ts';
import { createDiskSegments, type DiskSegments } from '../../../src/dataplane/segments/disk.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const mebibyte = 1_048_576;
const uploadId = '01a22778-b2e8-7d73-a044-78c5b985cd3a';
const nothingYet: SegmentWrite = {
  ...{ uploadId, backendId: 'local', epoch: 1, segments: [], grows: false, maximumBytes: Number.MAX_SAFE_INTEGER },
  onDurable: async () => undefined,
};

async function* cut(bytes: Uint8Array, size = 65_521): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-segments-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function holds(disk: DiskSegments, directory: string, segments: readonly Segment[], bytes: Uint8Array): Promise<void> {
  const read = Buffer.concat(await Array.fromAsync(disk.read(directory, segments), (chunk) => Buffer.from(chunk)));
  assert.equal(Buffer.compare(read, bytes), 0);
}

const lengthOf = (segments: readonly Segment[]): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

describe('segments on a disk', () => {
  test('tells while a long body comes what is in the file already, and answers the rest', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments({ pace: { bytes: 2 * mebibyte, milliseconds: 60_000 } });
      const bytes = randomBytes(5 * mebibyte + 7);
      const told: number[] = [];
      const { segments, grows, failure } = await disk.append(
        directory,
        {
          ...nothingYet,
          async onDurable(durable) {
            told.push(lengthOf(durable));
            await holds(disk, directory, durable, bytes.subarray(0, told.at(-1)));
          },
        },
        cut(bytes),
      );
      assert.deepEqual([told, grows, failure], [[2 * mebibyte, 4 * mebibyte], true, undefined]);
      await holds(disk, directory, segments, bytes);
    }));

  test('tells of a slow body after some time', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments({ pace: { bytes: Number.POSITIVE_INFINITY, milliseconds: 0 } });
      const told: number[] = [];
      const onDurable = async (durable: readonly Segment[]) => void told.push(lengthOf(durable));
      await disk.append(directory, { ...nothingYet, onDurable }, cut(randomBytes(3 * mebibyte)));
      assert.deepEqual(told, [mebibyte, 2 * mebibyte, 3 * mebibyte]);
    }));

  test('counts what a file has that is as long as the one before it', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments();
      const [first, second] = [randomBytes(1000), randomBytes(1000)];
      const before = await disk.append(directory, nothingYet, cut(first));
      const { segments, grows } = await disk.append(directory, { ...nothingYet, ...before, epoch: 2, grows: false }, cut(second));
      assert.deepEqual([segments.length, grows], [2, true]);
      await holds(disk, directory, segments, Buffer.concat([first, second]));
    }));

  test('does not continue a file that may still be written to, because nothing came of another', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments();
      const { segments } = await disk.append(directory, nothingYet, cut(randomBytes(1000)));
      const digests = new Map([['sha256', new Uint8Array(32)]]);
      const refused = await disk.append(directory, { ...nothingYet, epoch: 2, segments, grows: false, digests }, cut(randomBytes(500)));
      assert.equal(isArtifactstoreError(refused.failure?.error, 'digest_mismatch'), true);
      assert.deepEqual([refused.segments, refused.grows], [segments, false]);
    }));

  test('continues a file whose writer ended, and begins another after one that may still write', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments({ pace: { bytes: mebibyte, milliseconds: 60_000 } });
      const [first, late, second] = [randomBytes(mebibyte), randomBytes(2 * mebibyte), randomBytes(3 * mebibyte)];
      const told = Promise.withResolvers<readonly Segment[]>();
      const ended = Promise.withResolvers<void>();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield first;
        yield Buffer.alloc(1, 1);
        await ended.promise;
        yield late;
      }
      const zombie = disk.append(directory, { ...nothingYet, onDurable: async (durable) => told.resolve(durable) }, slow());
      const acknowledged = await told.promise;
      const taken = { ...nothingYet, epoch: 2, segments: acknowledged };
      const next = await disk.append(directory, taken, cut(second.subarray(0, mebibyte)));
      ended.resolve();
      await zombie;
      const last = await disk.append(directory, { ...nothingYet, epoch: 3, ...kept(next) }, cut(second.subarray(mebibyte)));
      assert.equal(last.segments.length, 2);
      await holds(disk, directory, last.segments, Buffer.concat([first, second]));
    }));

  test('does not call a file its own because nothing came', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments();
      const { segments } = await disk.append(directory, nothingYet, cut(randomBytes(10)));
      for (const grows of [true, false]) {
        const answer = await disk.append(directory, { ...nothingYet, epoch: 2, segments, grows }, cut(Buffer.alloc(0)));
        assert.deepEqual(answer, { segments, grows });
      }
      assert.equal(readdirSync(directory).length, 1);
    }));

  test('keeps nothing of a body whose digest does not hold, or that is too long', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments();
      const bytes = randomBytes(3 * mebibyte);
      const digests = (of: Uint8Array) => new Map([['sha256', new Uint8Array(createHash('sha256').update(of).digest())]]);
      const begun = await disk.append(directory, nothingYet, cut(bytes.subarray(0, 100)));
      const next = { ...nothingYet, epoch: 2, ...kept(begun) };
      for (const [write, code] of [
        [{ ...next, digests: digests(bytes.subarray(1)) }, 'digest_mismatch'],
        [{ ...next, maximumBytes: 2 * mebibyte }, 'upload_length_mismatch'],
      ] as const) {
        const refused = await disk.append(directory, write, cut(bytes.subarray(100)));
        assert.ok(isArtifactstoreError(refused.failure?.error, code), String(refused.failure?.error));
        assert.deepEqual(kept(refused), kept(begun));
        assert.equal(statSync(join(directory, begun.segments[0]!.name)).size, 100);
        const alone = await disk.append(directory, { ...write, segments: [], grows: false, epoch: 9 }, cut(bytes));
        assert.deepEqual([alone.segments, readdirSync(directory).length], [[], 1]);
      }
      const good = await disk.append(directory, { ...next, digests: digests(bytes.subarray(100)) }, cut(bytes.subarray(100)));
      await holds(disk, directory, good.segments, bytes);
    }));

  test('keeps what had room on a full disk, and continues when there is room again', async (context) => {
    await inDirectory(async (directory) => {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory], { stdio: 'ignore' });
      } catch {
        return context.skip('mounting is not permitted here');
      }
      try {
        const disk = createDiskSegments({ pace: { bytes: 2 * mebibyte, milliseconds: 60_000 } });
        const bytes = randomBytes(6 * mebibyte);
        const full = await disk.append(directory, nothingYet, cut(bytes));
        assert.ok(isArtifactstoreError(full.failure?.error, 'storage_full'), String(full.failure?.error));
        const offset = lengthOf(full.segments);
        assert.ok(offset > 2 * mebibyte && offset < 5 * mebibyte, String(offset));
        await holds(disk, directory, full.segments, bytes.subarray(0, offset));
        execFileSync('mount', ['-o', 'remount,size=16m', directory]);
        const rest = await disk.append(directory, { ...nothingYet, epoch: 2, ...kept(full) }, cut(bytes.subarray(offset)));
        assert.equal(rest.failure, undefined);
        await holds(disk, directory, rest.segments, bytes);
      } finally {
        execFileSync('umount', [directory]);
      }
    });
  });

  test('says that bytes are lost where the file has fewer than were acknowledged', () =>
    inDirectory(async (directory) => {
      const disk = createDiskSegments();
      const begun = await disk.append(directory, nothingYet, cut(randomBytes(100)));
      truncateSync(join(directory, begun.segments[0]!.name), 99);
      const next = await disk.append(directory, { ...nothingYet, epoch: 2, ...kept(begun) }, cut(randomBytes(1)));
      assert.match(String(next.failure?.error), /99 bytes, and 100 were acknowledged/);
      assert.deepEqual(next.segments, begun.segments);
      await assert.rejects(Array.fromAsync(disk.read(directory, begun.segments)), { code: 'storage_unavailable' });
    }));
});

function kept({ segments, grows }: Appended): Pick<Appended, 'segments' | 'grows'> {
  return { segments, grows };
}
