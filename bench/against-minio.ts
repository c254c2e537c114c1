import { randomFillSync } from 'node:crypto';
import { type Figure, median, progress, report } from './figure.ts';
import { canLoad, load, loadPuts } from './load.ts';
import { startMinio, whyNoMinio } from './minio.ts';
import { type Artifactstore, createPackage, startArtifactstore } from './server.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * Objects of 4 KiB over 64 kept connections, in and out, against MinIO of one node and one drive on the same disk, by
 * turns. Ours authenticates each request, adds the file to a package, and hashes it twice in and once out; MinIO is
 * asked without signatures. Every object that goes in has bytes of its own.
 */
export async function againstMinio(): Promise<readonly Figure[]> {
  const why = whyNoMinio() ?? (canLoad() ? undefined : 'install wrk');
  if (why !== undefined) return [putFigure({ note: why }), getFigure({ note: why })];
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await using server = await startArtifactstore(directory);
  await using minio = await startMinio();
  const { authorization } = server;
  const settings = { directory, connections: 64, bodyBytes: smallBytes };

  const small = await place(server, minio.bucketUrl);
  settleDisk();
  const gets = { ours: [] as number[], minio: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    gets.ours.push(await load({ ...settings, seconds: getSeconds, url: server.url, authorization, paths: small.map(({ ours }) => ours) }));
    gets.minio.push(await load({ ...settings, seconds: getSeconds, url: minio.bucketUrl, paths: small.map(({ theirs }) => theirs) }));
    show('out', gets);
  }

  const puts = { ours: [] as number[], minio: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const prefix = `/packages/${await createPackage(server, `put-${repetition}`)}/files/`;
    settleDisk();
    puts.ours.push(await loadPuts({ ...settings, seconds: putSeconds, url: server.url, authorization, prefix }));
    settleDisk();
    const theirs = `${new URL(minio.bucketUrl).pathname}/put-${repetition}-`;
    puts.minio.push(await loadPuts({ ...settings, seconds: putSeconds, url: minio.bucketUrl, prefix: theirs }));
    show('in', puts);
  }
  return [putFigure(compared(puts)), getFigure(compared(gets))];
}

type Runs = { readonly ours: readonly number[]; readonly minio: readonly number[] };
type Measured = Pick<Figure, 'against' | 'note'> & { readonly value?: number };

function compared({ ours, minio }: Runs): Measured {
  return { value: median(ours), against: { name: 'MinIO', value: median(minio) } };
}

function putFigure({ value, ...measured }: Measured): Figure {
  return { name: '4 KiB objects in, durable, 64 connections', value, unit: '/s', bar: { of: 'ratio', atLeast: 2 }, ...measured };
}

function getFigure({ value, ...measured }: Measured): Figure {
  return { name: '4 KiB objects out, verified, 64 connections', value, unit: '/s', bar: { of: 'ratio', atLeast: 2 }, ...measured };
}

function show(way: string, { ours, minio }: Runs): void {
  progress(`4 KiB ${way}: ours ${ours.at(-1)!.toFixed(0)}/s, MinIO ${minio.at(-1)!.toFixed(0)}/s`);
}

/** The same objects in both; the paths by which they are read. */
async function place(server: Artifactstore, bucketUrl: string): Promise<readonly { readonly ours: string; readonly theirs: string }[]> {
  const packageId = await createPackage(server, 'get');
  const { authorization } = server;
  const placed: { readonly ours: string; readonly theirs: string }[] = [];
  for (let index = 0; index < smallCount; index++) {
    const body = randomFillSync(new Uint8Array(smallBytes));
    const added = await put(`${server.url}/packages/${packageId}/files/small-${index}`, body, { authorization });
    await put(`${bucketUrl}/small-${index}`, body, {});
    const { id } = (await added.json()) as { readonly id: string };
    placed.push({ ours: `/files/${id}/download`, theirs: `${new URL(bucketUrl).pathname}/small-${index}` });
  }
  return placed;
}

async function put(url: string, body: Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>>): Promise<Response> {
  const answer = await fetch(url, { method: 'PUT', headers, body });
  if (!answer.ok) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

const smallBytes = 4096;
const smallCount = 1000;
const getSeconds = 4;
const putSeconds = 6;
const repetitions = 5;

if (import.meta.main) await report(againstMinio);
