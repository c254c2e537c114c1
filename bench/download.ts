import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { canLoad, load } from './load.ts';
import { startNginx } from './nginx.ts';
import { type Artifactstore, createPackage, startArtifactstore } from './server.ts';
import { type Content, download, newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * Bytes out over HTTP, verified as they go, against nginx with one worker that serves the same bytes unverified: one 1
 * GiB file to one reader, and 4 KiB objects over 64 kept connections. Both from the page cache, with the same readers.
 */
export async function downloads(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(4 * 2 ** 30);
  const { directory } = workspace;
  const root = join(directory, 'www');
  await using server = await startArtifactstore(directory);
  await using nginx = await startNginx(directory, root);
  if (nginx === undefined)
    return [{ name: '1 GiB out, verified', value: undefined, unit: 'MB/s', bar: { of: 'ratio', atLeast: 0.5 }, note: 'install nginx' }];
  const packageId = await createPackage(server, 'download');
  const large = await placeLarge(server, packageId, root);
  const small = await placeSmall(server, packageId, root);
  settleDisk();

  const largeRuns = { ours: [] as number[], nginx: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    largeRuns.nginx.push(await seconds(() => download(`${nginx.url}/large`, {})));
    largeRuns.ours.push(await seconds(() => download(`${server.url}${large}`, { authorization: server.authorization })));
    progress(`1 GiB: ours ${rate(largeRuns.ours.slice(-1)).toFixed(0)} MB/s, nginx ${rate(largeRuns.nginx.slice(-1)).toFixed(0)} MB/s`);
  }

  const smallRuns = { ours: [] as number[], byPath: [] as number[], nginx: [] as number[] };
  const settings = { directory, connections: 64, seconds: 4, bodyBytes: smallBytes, authorization: server.authorization };
  for (let repetition = 0; repetition < repetitions && canLoad(); repetition++) {
    smallRuns.nginx.push(await load({ ...settings, url: nginx.url, paths: small.map(({ plain }) => plain) }));
    smallRuns.ours.push(await load({ ...settings, url: server.url, paths: small.map(({ byId }) => byId) }));
    smallRuns.byPath.push(await load({ ...settings, url: server.url, paths: small.map(({ byPath }) => byPath) }));
    progress(
      `4 KiB: ${Object.entries(smallRuns)
        .map(([name, rates]) => `${name} ${rates.at(-1)!.toFixed(0)}/s`)
        .join(', ')}`,
    );
  }

  const name = '4 KiB objects out, verified, 64 connections';
  return [
    {
      name: '1 GiB out over HTTP, verified',
      value: rate(largeRuns.ours),
      unit: 'MB/s',
      against: { name: 'nginx', value: rate(largeRuns.nginx) },
      bar: { of: 'ratio', atLeast: 0.5 },
    },
    ...(smallRuns.ours.length === 0
      ? [{ name, value: undefined, unit: '/s', bar: { of: 'ratio', atLeast: 0.2 }, note: 'install wrk' } as const]
      : (
          [
            ['by file id', smallRuns.ours],
            ['by package and path', smallRuns.byPath],
          ] as const
        ).map(
          ([note, rates]): Figure => ({
            name,
            value: median(rates),
            unit: '/s',
            against: { name: 'nginx', value: median(smallRuns.nginx) },
            bar: { of: 'ratio', atLeast: 0.2 },
            note,
          }),
        )),
  ];
}

async function placeLarge(server: Artifactstore, packageId: string, root: string): Promise<string> {
  const content = newContent(largeBytes);
  const path = `/packages/${packageId}/files/large.bin`;
  const { body } = await upload('PUT', `${server.url}${path}`, { authorization: server.authorization }, content);
  mkdirSync(root, { recursive: true });
  for (const piece of content.pieces()) writeFileSync(join(root, 'large'), piece, { flag: 'a' });
  return `/files/${(JSON.parse(body) as { id: string }).id}/download`;
}

async function placeSmall(server: Artifactstore, packageId: string, root: string): Promise<readonly SmallPaths[]> {
  const placed: SmallPaths[] = [];
  for (let index = 0; index < smallCount; index++) {
    const bytes = randomFillSync(new Uint8Array(smallBytes));
    const content: Content = { size: smallBytes, pieces: () => [bytes] };
    const plain = `/small-${index}`;
    const byPath = `/packages/${packageId}/files${plain}.bin`;
    const { body } = await upload('PUT', `${server.url}${byPath}`, { authorization: server.authorization }, content);
    writeFileSync(join(root, plain), bytes);
    placed.push({ plain, byPath, byId: `/files/${(JSON.parse(body) as { id: string }).id}/download` });
  }
  return placed;
}

interface SmallPaths {
  readonly plain: string;
  readonly byId: string;
  readonly byPath: string;
}

function rate(times: readonly number[]): number {
  return largeBytes / 1e6 / median(times);
}

const largeBytes = 2 ** 30;
const smallBytes = 4096;
const smallCount = 1000;
const repetitions = 3;

if (import.meta.main) await report(downloads);
