import { readdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createHasher } from '../src/kernel/content/digest.ts';
import { blobDigest, pushBlob, startDockerRegistry } from './docker-registry.ts';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { createPackage, startArtifactstore } from './server.ts';
import { type Content, newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * One 1 GiB file in over HTTP: both digests, acknowledged when durable. Against the limit of the machine, the slower of
 * both digests on one core and a plain write with one fsync; and against Debian's docker-registry taking the same
 * bytes.
 */
export async function ingestHttp(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await using server = await startArtifactstore(directory);
  await using dockerRegistry = await startDockerRegistry(directory);
  const packageId = await createPackage(server, 'ingest');

  const runs = { digests: [] as number[], write: [] as number[], ours: [] as number[], docker: [] as number[] };
  await fsyncedWrite(join(directory, 'plain'), newContent(fileBytes));
  freeDisk(directory);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const content = newContent(fileBytes);
    runs.digests.push(await seconds(() => bothDigests(content)));
    runs.write.push(await fsyncedWrite(join(directory, 'plain'), content));
    freeDisk(directory);
    runs.ours.push(
      await seconds(() =>
        upload('PUT', `${server.url}/packages/${packageId}/files/${repetition}.bin`, { authorization: server.authorization }, content),
      ),
    );
    freeDisk(directory);
    if (dockerRegistry !== undefined) {
      const digest = blobDigest(content);
      runs.docker.push(await seconds(() => pushBlob(dockerRegistry, content, digest)));
      freeDisk(directory);
    }
    progress(
      Object.entries(runs)
        .map(([name, times]) => `${name} ${rate(times.slice(-1)).toFixed(0)} MB/s`)
        .join(', '),
    );
  }

  const digests = rate(runs.digests);
  const write = rate(runs.write);
  const ours = rate(runs.ours);
  const name = '1 GiB in over HTTP, both digests, durable';
  return [
    { name: 'both digests on one core', value: digests, unit: 'MB/s' },
    { name: 'plain write of 1 GiB, fsynced', value: write, unit: 'MB/s' },
    {
      name,
      value: ours,
      unit: 'MB/s',
      against: { name: digests < write ? 'limit (digests)' : 'limit (fsynced write)', value: Math.min(digests, write) },
      bar: { of: 'ratio', atLeast: 0.5 },
    },
    runs.docker.length === 0
      ? { name, value: undefined, unit: 'MB/s', bar: { of: 'ratio', atLeast: 3 }, note: 'install docker-registry to compare' }
      : {
          name,
          value: ours,
          unit: 'MB/s',
          against: { name: 'docker-registry', value: rate(runs.docker) },
          bar: { of: 'ratio', atLeast: 3 },
        },
  ];
}

function bothDigests(content: Content): void {
  const hashers = [createHasher('blake3'), createHasher('sha256')];
  for (const piece of content.pieces()) for (const hasher of hashers) hasher.update(piece);
  for (const hasher of hashers) hasher.digest();
}

async function fsyncedWrite(path: string, content: Content): Promise<number> {
  return seconds(async () => {
    await using file = await open(path, 'wx');
    for (const piece of content.pieces()) await file.write(piece);
    await file.sync();
  });
}

/**
 * What was written goes before the next begins: each then writes into blocks and memory that were used before, none
 * into fresh ones.
 */
function freeDisk(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(path).size >= fileBytes) rmSync(path);
  }
  settleDisk();
}

function rate(times: readonly number[]): number {
  return times.length === 0 ? Number.NaN : fileBytes / 1e6 / median(times);
}

const fileBytes = 2 ** 30;
const repetitions = 5;

if (import.meta.main) await report(ingestHttp);
