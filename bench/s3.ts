import { randomFillSync } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { type Gateway, startGateway, startOnGateway } from './gateway.ts';
import { openRclone, type Rclone } from './rclone.ts';
import { type Artifactstore, createPackage } from './server.ts';
import { type Content, download, newContent, reprDigest, upload } from './transfer.ts';
import { openWorkspace } from './workspace.ts';

/**
 * The registry with nothing but a bucket for its bytes, against rclone on the same bucket of the same Ceph gateway,
 * whose objects lie in memory: 1 GiB in and out, and a tree of small files.
 */
export async function s3(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await using gateway = await startGateway(directory);
  if (gateway === undefined) return [missing('install Ceph: tools/stores/install-ceph.sh')];
  const rclone = openRclone(gateway.store, gateway.bucket, directory);
  if (rclone === undefined) return [missing('install rclone')];
  return [...(await large(directory, gateway, rclone)), ...(await small(directory, gateway, rclone))];
}

async function large(parent: string, gateway: Gateway, rclone: Rclone): Promise<readonly Figure[]> {
  const directory = folder(parent, 'large');
  await using server = await startOnGateway(directory, gateway);
  const packageId = await createPackage(server, 'large');
  const tree = folder(directory, 'tree');
  const file = join(tree, 'large.bin');
  const runs = {
    put: [] as number[],
    push: [] as number[],
    peerIn: [] as number[],
    bareIn: [] as number[],
    out: [] as number[],
    peerOut: [] as number[],
  };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const content = newContent(largeBytes);
    writeFileSync(file, '');
    for (const piece of content.pieces()) appendFileSync(file, piece);
    runs.peerIn.push(await seconds(() => rclone.run('copyto', file, 'STORE:peer/large.bin')));
    await gateway.empty();
    const path = `/packages/${packageId}/files/${repetition}.bin`;
    const digest = reprDigest(content);
    runs.put.push(await seconds(() => put(server, path, content, digest)));
    runs.out.push(await seconds(() => get(server, path)));
    await gateway.empty();
    runs.bareIn.push(await seconds(() => rclone.run('copyto', '--s3-disable-checksum', file, 'STORE:peer/large.bin')));
    runs.peerOut.push(await seconds(() => rclone.run('cat', 'STORE:peer/large.bin')));
    await gateway.empty();
    // Of its own, so that there is something to send.
    writeFileSync(file, randomFillSync(new Uint8Array(2 ** 20)), { flag: 'r+' });
    runs.push.push(await seconds(() => push(server, tree, `large-${repetition}`)));
    await gateway.empty();
    progress(
      Object.entries(runs)
        .map(([name, times]) => `${name} ${rate(times.slice(-1)).toFixed(0)} MB/s`)
        .join(', '),
    );
  }
  return [
    {
      name: '1 GiB into S3 through PUT, digest declared',
      value: rate(runs.put),
      unit: 'MB/s',
      against: { name: 'rclone copy, no MD5 of the whole', value: rate(runs.bareIn) },
      bar: { of: 'ratio', atLeast: 0.9 },
    },
    {
      name: '1 GiB into S3 through push, hashing included',
      value: rate(runs.push),
      unit: 'MB/s',
      against: { name: 'rclone copy', value: rate(runs.peerIn) },
      bar: { of: 'ratio', atLeast: 0.9 },
    },
    {
      name: '1 GiB out of S3 over HTTP, verified',
      value: rate(runs.out),
      unit: 'MB/s',
      against: { name: 'rclone cat', value: rate(runs.peerOut) },
      bar: { of: 'ratio', atLeast: 0.9 },
    },
  ];
}

async function small(parent: string, gateway: Gateway, rclone: Rclone): Promise<readonly Figure[]> {
  const directory = folder(parent, 'small');
  await using server = await startOnGateway(directory, gateway);
  const runs = { push: [] as number[], peer: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const tree = folder(directory, `tree-${repetition}`);
    for (let file = 0; file < smallFiles; file++) writeFileSync(join(tree, `file-${file}.bin`), randomFillSync(new Uint8Array(smallBytes)));
    runs.peer.push(await seconds(() => rclone.run('copy', '--transfers', '16', tree, 'STORE:peer')));
    await gateway.empty();
    runs.push.push(await seconds(() => push(server, tree, `small-${repetition}`)));
    await gateway.empty();
    rmSync(tree, { recursive: true });
    progress(`small: push ${runs.push.at(-1)!.toFixed(2)} s, rclone ${runs.peer.at(-1)!.toFixed(2)} s`);
  }
  return [
    {
      name: '1,000 files of 64 KiB into S3 through push',
      value: smallFiles / median(runs.push),
      unit: '/s',
      against: { name: 'rclone copy --transfers 16', value: smallFiles / median(runs.peer) },
      bar: { of: 'ratio', atLeast: 1.5 },
    },
  ];
}

async function put(server: Artifactstore, path: string, content: Content, digest: string): Promise<void> {
  await upload('PUT', `${server.url}${path}`, { authorization: server.authorization, 'repr-digest': digest }, content);
}

async function get(server: Artifactstore, path: string): Promise<void> {
  const size = await download(`${server.url}${path}`, { authorization: server.authorization });
  if (size !== largeBytes) throw new Error(`${size} bytes came`);
}

async function push(server: Artifactstore, tree: string, subject: string): Promise<void> {
  const output = await server.command(
    'push',
    tree,
    '--producer',
    'bench',
    '--subject',
    subject,
    '--retention-class',
    'transient',
    '--json',
  );
  const { total_bytes, uploaded_bytes } = JSON.parse(output) as { readonly total_bytes: number; readonly uploaded_bytes: number };
  if (uploaded_bytes !== total_bytes) throw new Error(`push sent ${uploaded_bytes} of ${total_bytes} bytes`);
}

function folder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path);
  return path;
}

function rate(times: readonly number[]): number {
  return times.length === 0 ? Number.NaN : largeBytes / 1e6 / median(times);
}

function missing(note: string): Figure {
  return { name: '1 GiB into S3 through PUT, digest declared', value: undefined, unit: 'MB/s', bar: { of: 'ratio', atLeast: 0.9 }, note };
}

const largeBytes = 2 ** 30;
const smallFiles = 1000;
const smallBytes = 65_536;
const repetitions = Number(process.env.ARTIFACTSTORE_TEST_BENCH_REPETITIONS ?? 5);

if (import.meta.main) await report(s3);
