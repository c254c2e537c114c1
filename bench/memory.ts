import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, progress, report } from './figure.ts';
import { startGateway, startOnGateway } from './gateway.ts';
import { type Artifactstore, createPackage, startArtifactstore } from './server.ts';
import { download, newContent, reprDigest, upload } from './transfer.ts';
import { openWorkspace } from './workspace.ts';

/**
 * The most memory that `serve` has resident while files of 1 GiB go in and out, one by itself and then 4 at a time, on
 * a directory and on a bucket of a Ceph gateway whose objects lie in memory.
 */
export async function memory(): Promise<readonly Figure[]> {
  return [await onDirectory(), await onBucket()];
}

async function onDirectory(): Promise<Figure> {
  using workspace = openWorkspace(6 * fileBytes);
  // Its first start compiles a clone's source.
  await (await startArtifactstore(folder(workspace.directory, 'first')))[Symbol.asyncDispose]();
  await using server = await startArtifactstore(workspace.directory);
  return await measure('serve', server, false, async () => {});
}

async function onBucket(): Promise<Figure> {
  const name = 'serve on S3';
  using workspace = openWorkspace(2 * fileBytes);
  await using gateway = await startGateway(workspace.directory);
  if (gateway === undefined) return { ...figure(name), value: undefined, note: 'install Ceph: tools/stores/install-ceph.sh' };
  await using server = await startOnGateway(folder(workspace.directory, 'server'), gateway);
  return await measure(name, server, true, gateway.empty);
}

async function measure(name: string, server: Artifactstore, declared: boolean, empty: () => Promise<void>): Promise<Figure> {
  const { authorization } = server;
  const packageId = await createPackage(server, 'memory');
  const inAndOut = async (file: string): Promise<void> => {
    const content = newContent(fileBytes);
    const url = `${server.url}/packages/${packageId}/files/${file}`;
    // What was declared goes into a bucket without a draft.
    await upload('PUT', url, { authorization, ...(declared ? { 'repr-digest': reprDigest(content) } : {}) }, content);
    const size = await download(url, { authorization });
    if (size !== fileBytes) throw new Error(`${size} bytes came`);
  };
  const peaks: number[] = [];
  const note = (): void => void peaks.push(Math.round(server.peakResidentBytes() / 2 ** 20));
  note();
  await inAndOut('one');
  note();
  await empty();
  await Promise.all(['first', 'second', 'third', 'fourth'].map(inAndOut));
  note();
  progress(`${name}: ${peaks.join(', ')} MiB`);
  return { ...figure(name), value: peaks[2], note: `${peaks[0]} MiB after its start, ${peaks[1]} after the first` };
}

function figure(name: string): Pick<Figure, 'name' | 'unit' | 'bar'> {
  return { name: `high-water memory of ${name}, 1 GiB in and out, then 4 at a time`, unit: 'MiB', bar: { of: 'value', under: 250 } };
}

function folder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path);
  return path;
}

const fileBytes = 2 ** 30;

if (import.meta.main) await report(memory);
