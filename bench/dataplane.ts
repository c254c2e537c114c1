import { randomFillSync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataPlane, StoredObject } from '../src/dataplane/DATAPLANE.ts';
import { openDataPlane } from '../src/dataplane/streaming.ts';
import { createHasher } from '../src/kernel/content/digest.ts';
import { openLocalStorage } from '../src/storage/local/local.ts';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * What the data plane takes by itself, without HTTP or a database: where hashing belongs, what a small object costs,
 * and what verifying does to reads.
 */
export async function dataplane(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(4 * 2 ** 30);
  const storage = openLocalStorage({ id: 'local', root: join(workspace.directory, 'store') });
  await storage.create('made', Buffer.alloc(0));
  const backends = new Map([['local', storage]]);
  const inline = openDataPlane({ backends, hashThreads: 0 });
  const threaded = openDataPlane({ backends, hashThreads: 1 });
  randomFillSync(piece);

  const runs = { digests: [] as number[], write: [] as number[], inline: [] as number[], threaded: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    runs.digests.push(await seconds(bothDigests));
    runs.write.push(await seconds(() => fsyncedWrite(join(workspace.directory, `plain-${repetition}`))));
    for (const [name, plane] of [
      ['inline', inline],
      ['threaded', threaded],
    ] as const) {
      settleDisk();
      runs[name].push(await seconds(() => stored(plane, name, pieces(largeBytes))));
    }
    progress(
      Object.entries(runs)
        .map(([name, times]) => `${name} ${(largeBytes / 1e6 / times.at(-1)!).toFixed(0)} MB/s`)
        .join(', '),
    );
  }
  const rate = (times: readonly number[]): number => largeBytes / 1e6 / median(times);
  const limit = { name: 'slower of digests and write', value: Math.min(rate(runs.digests), rate(runs.write)) };

  const object = await stored(threaded, 'large', pieces(largeBytes));
  const whole: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) whole.push(await seconds(() => drain(threaded, object)));
  const ranges = await perSecond(rangeCount, 16, async (index) => {
    const first = (index * 7_654_321) % (largeBytes - 65_536);
    await drain(threaded, object, { first, last: first + 65_535 });
  });

  const smalls: StoredObject[] = [];
  const put = async (index: number): Promise<void> => {
    smalls[index] = await stored(threaded, `small/${index % 16}/${index}`, smallPiece(index));
  };
  settleDisk();
  const puts = await perSecond(smallCount, 16, put);
  const gets = await perSecond(20 * smallCount, 64, (index) => drain(threaded, smalls[index % smallCount]!));
  await Promise.all([inline.close(), threaded.close()]);

  return [
    { name: 'data plane: both digests on one core', value: rate(runs.digests), unit: 'MB/s' },
    { name: 'data plane: plain write of 1 GiB, fsynced', value: rate(runs.write), unit: 'MB/s' },
    { name: 'data plane: 1 GiB staged and published, hashed inline', value: rate(runs.inline), unit: 'MB/s', against: limit },
    { name: 'data plane: 1 GiB staged and published, hashed on a thread', value: rate(runs.threaded), unit: 'MB/s', against: limit },
    { name: 'data plane: 1 GiB read, verified', value: rate(whole), unit: 'MB/s' },
    { name: 'data plane: 64 KiB ranges read, verified, 16 at a time', value: ranges, unit: '/s' },
    { name: 'data plane: 4 KiB stored durably, 16 at a time', value: puts, unit: '/s' },
    { name: 'data plane: 4 KiB read, verified, 64 at a time', value: gets, unit: '/s' },
  ];
}

async function stored(plane: DataPlane, key: string, source: AsyncIterable<Uint8Array>): Promise<StoredObject> {
  const draft = await plane.stage('local', source);
  await plane.publish(draft, key);
  await plane.discard(draft);
  const { backendId, sizeBytes, contentAddress, digestSha256, blockDigests } = draft;
  return { backendId, objectKey: key, sizeBytes, contentAddress, digestSha256, ...(blockDigests === undefined ? {} : { blockDigests }) };
}

async function drain(plane: DataPlane, object: StoredObject, range?: { readonly first: number; readonly last: number }): Promise<void> {
  let size = 0;
  for await (const chunk of await plane.open(object, range)) size += chunk.byteLength;
  if (size !== (range === undefined ? object.sizeBytes : range.last - range.first + 1)) throw new Error(`${size} bytes came`);
}

async function perSecond(count: number, width: number, work: (index: number) => Promise<void>): Promise<number> {
  const rest = Array.from({ length: count }, (_, index) => index).values();
  const spent = await seconds(() =>
    Promise.all(
      Array.from({ length: width }, async () => {
        for (const index of rest) await work(index);
      }),
    ),
  );
  return count / spent;
}

function bothDigests(): void {
  const hashers = [createHasher('blake3'), createHasher('sha256')];
  for (let sent = 0; sent < largeBytes; sent += piece.byteLength) for (const hasher of hashers) hasher.update(piece);
  for (const hasher of hashers) hasher.digest();
}

async function fsyncedWrite(path: string): Promise<void> {
  await using file = await open(path, 'wx');
  for (let sent = 0; sent < largeBytes; sent += piece.byteLength) await file.write(piece);
  await file.sync();
}

/** As a socket gives them. */
async function* pieces(size: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < size; sent += 65_536) yield piece.subarray(sent % piece.byteLength, (sent % piece.byteLength) + 65_536);
}

async function* smallPiece(index: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(piece.subarray(0, 4096));
  bytes.writeUInt32LE(index);
  yield bytes;
}

const piece = Buffer.alloc(1_048_576);
const largeBytes = 2 ** 30;
const repetitions = 3;
const rangeCount = 4000;
const smallCount = 1000;

if (import.meta.main) await report(dataplane);
