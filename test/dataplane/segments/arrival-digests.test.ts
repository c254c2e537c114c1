import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Appended, Segment, SegmentWrite } from '../../../src/dataplane/DATAPLANE.ts';
import type { Digested } from '../../../src/dataplane/hashing/digester.ts';
import { startHashThreads } from '../../../src/dataplane/hashing/hash-threads.ts';
import { createArrivalDigests } from '../../../src/dataplane/segments/arrival-digests.ts';
import { createDiskSegments, type DiskSegments } from '../../../src/dataplane/segments/disk.ts';
import { blake3, toHex } from '../../../src/kernel/content/digest.ts';
import { ArtifactstoreError } from '../../../src/kernel/error.ts';
import { cut, gather, mebibyte, withPlane } from '../planes.ts';

const place = { uploadId: '01a22778-b2e8-7d73-a044-78c5b985cd3a', backendId: 'local' };
const nothingYet: SegmentWrite = {
  ...{ ...place, epoch: 1, segments: [], grows: false, maximumBytes: Number.MAX_SAFE_INTEGER },
  onDurable: async () => undefined,
};

/** One process: what it remembers of uploads in the directory, and its threads. */
async function inDirectory(body: (directory: string, process: (threads?: number) => DiskSegments) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-arrival-'));
  const threads = startHashThreads(1);
  try {
    await body(directory, (count = 1) =>
      createDiskSegments({ arrival: createArrivalDigests('blake3', count === 0 ? undefined : threads) }),
    );
  } finally {
    await threads.close();
    rmSync(directory, { recursive: true });
  }
}

const body = (bytes: Uint8Array) => cut(bytes, [65_521]);

let epochs = 1;
function next({ segments, grows }: Pick<Appended, 'segments' | 'grows'>): SegmentWrite {
  epochs += 1;
  return { ...nothingYet, epoch: epochs, segments, grows };
}

async function known(
  disk: DiskSegments,
  directory: string,
  segments: readonly Segment[],
  algorithms: readonly string[] = [],
): Promise<Digested | undefined> {
  assert.equal(segments.length, 1);
  return (await disk.digests(directory, place, segments[0]!, algorithms)).digested;
}

function areOf(digested: Digested | undefined, bytes: Uint8Array): void {
  assert.ok(digested !== undefined, 'nothing is known');
  for (const [algorithm, digest] of digested.digests)
    assert.equal(toHex(digest), algorithm === 'blake3' ? toHex(blake3(bytes)) : createHash(algorithm).update(bytes).digest('hex'));
  const blocks = bytes.length > mebibyte ? Math.ceil(bytes.length / mebibyte) : 0;
  assert.equal((digested.blockDigests?.length ?? 0) / 32, blocks);
  for (let index = 0; index < blocks; index++)
    assert.equal(
      toHex(digested.blockDigests!.subarray(32 * index, 32 * index + 32)),
      toHex(blake3(bytes.subarray(index * mebibyte, (index + 1) * mebibyte))),
    );
}

describe('digests of an upload, made while it arrives', () => {
  for (const threads of [0, 1])
    test(`are those of all bodies together, however they are cut, with ${threads} threads`, () =>
      inDirectory(async (directory, process) => {
        const bytes = randomBytes(5 * mebibyte + 7);
        for (const ends of [[5], [mebibyte], [mebibyte - 1, mebibyte + 1], [70_000, 3 * mebibyte, 3 * mebibyte + 9], []]) {
          const disk = process(threads);
          let at: Pick<Appended, 'segments' | 'grows'> = { segments: [], grows: false };
          let from = 0;
          for (const end of [...ends, bytes.length]) {
            at = await disk.append(directory, { ...next(at), declared: ['sha512'] }, body(bytes.subarray(from, end)));
            from = end;
          }
          areOf(await known(disk, directory, at.segments, ['sha512']), bytes);
          areOf(await known(disk, directory, at.segments), bytes);
          assert.equal(await known(disk, directory, at.segments, ['md5']), undefined, 'a digest that nobody asked for in time');
        }
      }));

  test('have what came of a body that broke off, and nothing of one that was refused', () =>
    inDirectory(async (directory, process) => {
      const disk = process();
      const bytes = randomBytes(3 * mebibyte);
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* body(bytes.subarray(0, mebibyte + 100));
        throw new ArtifactstoreError('length_mismatch', 'The connection broke.');
      }
      const first = await disk.append(directory, nothingYet, broken());
      assert.ok(first.failure !== undefined);
      const second = await disk.append(directory, next(first), body(bytes.subarray(mebibyte + 100, 2 * mebibyte)));
      const wrong = new Map([['sha256', new Uint8Array(32)]]);
      const refused = await disk.append(directory, { ...next(second), digests: wrong }, body(randomBytes(mebibyte)));
      assert.deepEqual([refused.segments, refused.grows], [second.segments, true]);
      const third = await disk.append(directory, next(refused), body(bytes.subarray(2 * mebibyte)));
      assert.equal(await known(disk, directory, third.segments), undefined);
    }));

  test('are not known where another process added to the file, of neither', () =>
    inDirectory(async (directory, process) => {
      const [one, other] = [process(), process()];
      const bytes = randomBytes(4 * mebibyte);
      const piece = (index: number) => body(bytes.subarray(index * mebibyte, (index + 1) * mebibyte));
      const first = await one.append(directory, nothingYet, piece(0));
      const second = await other.append(directory, next(first), piece(1));
      const third = await one.append(directory, next(second), piece(2));
      const fourth = await other.append(directory, next(third), piece(3));
      assert.equal(fourth.segments.length, 1);
      for (const disk of [one, other]) assert.equal(await known(disk, directory, fourth.segments), undefined);
    }));

  test('are not those of other bytes that came to lie in the file', () =>
    inDirectory(async (directory, process) => {
      const disk = process();
      const written = await disk.append(directory, nothingYet, body(randomBytes(mebibyte)));
      writeFileSync(join(directory, written.segments[0]!.name), randomBytes(mebibyte), { flag: 'r+' });
      assert.equal(await known(disk, directory, written.segments), undefined);
    }));

  test('end where the upload is continued after they were asked for', () =>
    inDirectory(async (directory, process) => {
      const disk = process();
      const bytes = randomBytes(mebibyte);
      const first = await disk.append(directory, nothingYet, body(bytes.subarray(0, 100)));
      areOf(await known(disk, directory, first.segments), bytes.subarray(0, 100));
      const second = await disk.append(directory, next(first), body(bytes.subarray(100)));
      assert.equal(await known(disk, directory, second.segments), undefined);
    }));

  test('begin again with an upload that begins again, and end with it', () =>
    inDirectory(async (directory, process) => {
      const disk = process();
      await disk.append(directory, nothingYet, body(randomBytes(mebibyte)));
      const bytes = randomBytes(10);
      const again = await disk.append(directory, next({ segments: [], grows: false }), body(bytes));
      areOf(await known(disk, directory, again.segments), bytes);
      await disk.discard(directory, place, [{ name: 'another', bytes: 1 }]);
      areOf(await known(disk, directory, again.segments), bytes);
      const [{ name }] = again.segments as [Segment];
      const copy = readFileSync(join(directory, name));
      await disk.discard(directory, place, again.segments);
      writeFileSync(join(directory, name), copy);
      assert.equal(await known(disk, directory, again.segments), undefined);
    }));

  test('are not known when their thread has ended', async () => {
    const threads = startHashThreads(1);
    const directory = mkdtempSync(join(tmpdir(), 'artifactstore-arrival-'));
    try {
      const disk = createDiskSegments({ arrival: createArrivalDigests('blake3', threads) });
      const first = await disk.append(directory, nothingYet, body(randomBytes(mebibyte)));
      await threads.close();
      const second = await disk.append(directory, next(first), body(randomBytes(mebibyte)));
      assert.equal(second.failure, undefined);
      assert.equal(await known(disk, directory, second.segments), undefined);
    } finally {
      await threads.close();
      rmSync(directory, { recursive: true });
    }
  });

  test('have what had room on a full disk, and no more', async (context) => {
    await inDirectory(async (directory, process) => {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory], { stdio: 'ignore' });
      } catch {
        return context.skip('mounting is not permitted here');
      }
      try {
        const disk = process();
        const bytes = randomBytes(6 * mebibyte);
        const full = await disk.append(directory, nothingYet, body(bytes));
        const at = full.segments[0]!.bytes;
        assert.ok(at < bytes.length && full.failure !== undefined);
        execFileSync('mount', ['-o', 'remount,size=16m', directory]);
        const rest = await disk.append(directory, next(full), body(bytes.subarray(at)));
        const digested = await known(disk, directory, rest.segments);
        if (digested !== undefined) areOf(digested, bytes);
      } finally {
        execFileSync('umount', [directory]);
      }
    });
  });
});

describe('a draft of an upload', () => {
  test('is what was acknowledged, whatever its file has by then', () =>
    withPlane(async ({ plane, local }) => {
      const bytes = randomBytes(2 * mebibyte + 5);
      const { segments } = await plane.segments.append(nothingYet, body(bytes));
      const path = join(local.drafts!.directory, segments[0]!.name);
      const upload = { ...place, segments, sole: true };
      writeFileSync(path, 'more', { flag: 'a' });
      const { draft, owned } = await plane.segments.stage(upload, 'local', {});
      assert.deepEqual([owned, draft.sizeBytes, draft.digestPrimary], [false, bytes.length, toHex(blake3(bytes))]);
      await plane.publish(draft, 'a');
      assert.equal(Buffer.compare(await gather((await local.get('a'))!.body), bytes), 0);
      truncateSync(path, bytes.length - 1);
      await assert.rejects(plane.segments.stage(upload, 'local', {}), { code: 'storage_unavailable', message: /were acknowledged/ });
    }));
});
