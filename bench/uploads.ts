import { randomFillSync } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { type Figure, median, middlePair, progress, report, seconds } from './figure.ts';
import { openLeanConnection } from './lean-connection.ts';
import { type Artifactstore, createPackage, startArtifactstore } from './server.ts';
import { type Content, newContent, upload } from './transfer.ts';
import { startTusd } from './tusd.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * Uploads that resume, by tus: one of 1 GiB in PATCHes of 16 MiB against one plain PUT of as much; and many of 64 KiB,
 * a creation and a PATCH each, or a creation alone, against tusd on the same disk, which does not wait until they are
 * durable. The small ones also without files that are committed with the log, which is a setting.
 */
export async function uploads(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(2 * (largeRepetitions + 1) * fileBytes);
  const { directory } = workspace;
  await using server = await startArtifactstore(made(directory, 'usual'));
  await using direct = await startArtifactstore(made(directory, 'direct'), {
    ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0',
  });
  await using tusd = await startTusd(directory);

  const runs = new Map<string, number[]>();
  const run = async (name: string, work: () => Promise<void>): Promise<number> => {
    const taken = await seconds(work);
    runs.set(name, [...(runs.get(name) ?? []), taken]);
    progress(`${name}: ${taken.toFixed(2)} s`);
    settleDisk();
    return taken;
  };
  const pairs: (readonly [tus: number, put: number])[] = [];
  const packageId = await createPackage(server, 'uploads');
  for (let repetition = 0; only !== 'small' && repetition <= largeRepetitions; repetition++) {
    const { authorization } = server;
    const whole = newContent(fileBytes);
    const put = (): Promise<number> =>
      run('put', async () => {
        await upload('PUT', `${server.url}/packages/${packageId}/files/put-${repetition}`, { authorization }, whole);
      });
    const pieces = Array.from({ length: fileBytes / pieceBytes }, () => newContent(pieceBytes));
    const named = metadata({ package_id: packageId, relative_path: `tus-${repetition}` });
    const tusInPieces = (): Promise<number> =>
      run('tus', () => inPieces(`${server.url}/uploads`, { authorization, 'upload-metadata': named }, pieces));
    // By turns the first: what the disk gives may change in the middle of a pair.
    const first = repetition % 2 === 0 ? await put() : undefined;
    const tus = await tusInPieces();
    const pair = [rateOf(tus), rateOf(first ?? (await put()))] as const;
    // The first of each pays for what is done once.
    if (repetition > 0) pairs.push(pair);
  }
  const targets: Target[] = await Promise.all(
    [['usual', server] as const, ['direct', direct] as const].map(async ([name, each]) => {
      const package_id = await createPackage(each, 'small uploads');
      const described = (path: string) => ({
        authorization: each.authorization,
        'upload-metadata': metadata({ package_id, relative_path: path }),
      });
      return { name, url: `${each.url}/uploads`, described };
    }),
  );
  if (tusd !== undefined) targets.push({ name: 'tusd', url: `${tusd.url}/uploads/`, described: () => ({}) });
  for (let repetition = 0; only !== 'large' && repetition <= repetitions; repetition++)
    for (const way of ['patched', 'created'] as const)
      for (const { name, url, described } of targets) {
        const work = () => many(url, way, (index) => described(`${way}-${repetition}/${index}`));
        // The first of each pays for what is done once.
        if (repetition === 0) await work();
        else await run(`${name} ${way}`, work);
        await allInBackends(server);
        rmSync(join(directory, 'tusd'), { recursive: true, force: true });
        mkdirSync(join(directory, 'tusd'));
      }

  const each = (name: string): number => count / median(runs.get(name)!);
  const large: readonly Figure[] = only === 'small' ? [] : [ofPieces(middlePair(pairs))];
  if (only === 'large') return large;
  return [
    ...large,
    ...(['patched', 'created'] as const).flatMap((way) =>
      (['usual', 'direct'] as const).map((which): Figure => {
        const how = way === 'patched' ? 'a creation and a PATCH each' : 'a creation each';
        const name = `${count} uploads of 64 KiB by tus, ${how}, ${concurrent} at a time${which === 'direct' ? ', none with the log' : ''}`;
        const value = each(`${which} ${way}`);
        if (tusd === undefined) return { name, value, unit: '/s', note: 'install tusd to compare' };
        return { name, value, unit: '/s', against: { name: 'tusd', value: each(`tusd ${way}`) }, bar: { of: 'ratio', atLeast: 2 } };
      }),
    ),
  ];
}

function rateOf(taken: number): number {
  return fileBytes / taken / 1e6;
}

function ofPieces([value, put]: readonly [tus: number, put: number]): Figure {
  return {
    name: '1 GiB by tus in PATCHes of 16 MiB',
    value,
    unit: 'MB/s',
    against: { name: 'one PUT', value: put },
    bar: { of: 'ratio', atLeast: 0.8 },
  };
}

type Headers = Readonly<Record<string, string>>;

/** A server that takes many uploads. */
interface Target {
  readonly name: string;
  readonly url: string;
  described(path: string): Headers;
}

async function inPieces(endpoint: string, headers: Headers, pieces: readonly Content[]): Promise<void> {
  const address = await begin(endpoint, { ...headers, 'upload-length': String(fileBytes) });
  for (const [index, piece] of pieces.entries())
    await upload('PATCH', address, { ...headers, ...patch, 'upload-offset': String(index * pieceBytes) }, piece);
}

async function many(url: string, way: 'patched' | 'created', headersOf: (index: number) => Headers): Promise<void> {
  const { pathname } = new URL(url);
  let next = 0;
  const work = async (): Promise<void> => {
    using connection = await openLeanConnection(url);
    for (let index = next++; index < count; index = next++) {
      const body = newBytes();
      const headers = { ...headersOf(index), ...tus, 'upload-length': String(smallBytes) };
      if (way === 'created') {
        const { status } = await connection.send('POST', pathname, { ...headers, ...patch }, body);
        if (status !== 201) throw new Error(`POST ${url}: ${status}`);
        continue;
      }
      const { status, location } = await connection.send('POST', pathname, headers);
      if (status !== 201) throw new Error(`POST ${url}: ${status}`);
      const address = new URL(location!, url).pathname;
      const patched = await connection.send('PATCH', address, { ...headersOf(index), ...patch, 'upload-offset': '0' }, body);
      if (patched.status !== 204) throw new Error(`PATCH ${address}: ${patched.status}`);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, work));
}

/** What is held is put into its backend behind the answers, and would take the disk from who comes next. */
async function allInBackends({ url, authorization }: Artifactstore): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization } })).text();
    if (![...metrics.matchAll(/^artifactstore_held_objects.* ([1-9]\d*)$/gm)].length) return;
    await setTimeout(200);
  }
}

/** Bytes that no store can know already. */
function newBytes(): Uint8Array {
  const bytes = Buffer.from(pool);
  randomFillSync(bytes, 0, 32);
  return bytes;
}

function made(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

async function begin(endpoint: string, headers: Headers): Promise<string> {
  const response = await fetch(endpoint, { method: 'POST', headers: { ...headers, 'tus-resumable': '1.0.0' } });
  if (response.status !== 201) throw new Error(`POST ${endpoint}: ${response.status} ${await response.text()}`);
  return new URL(response.headers.get('location')!, endpoint).href;
}

function metadata(values: Headers): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');
}

const tus: Headers = { 'tus-resumable': '1.0.0' };
const patch: Headers = { ...tus, 'content-type': 'application/offset+octet-stream' };
const fileBytes = 2 ** 30;
const pieceBytes = 2 ** 24;
const smallBytes = 65_536;
const pool = randomFillSync(Buffer.allocUnsafe(smallBytes));
/** `large` or `small`: one half of the question. */
const only = process.env.BENCH_UPLOADS;
const count = 1_000;
const concurrent = 16;
const repetitions = 3;
const largeRepetitions = 6;

if (import.meta.main) await report(uploads);
