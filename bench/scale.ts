import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type Figure, percentile, progress, report, seconds } from './figure.ts';
import { type History, writeHistory } from './history.ts';
import { type ListTimes, listQueries, measureLists } from './list-pages.ts';
import { type Artifactstore, createPackage, databasePath, runArtifactstore, startArtifactstore } from './server.ts';
import { download, newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * 100,000 packages with 1,000,000 files in SQLite, or as many as `ARTIFACTSTORE_TEST_BENCH_PACKAGES` says, with
 * `ARTIFACTSTORE_TEST_BENCH_FILES` in each instead of ten: replay, start, any page of any list, look-ups, pushes and a
 * collection; then 10 GiB through a small process.
 */
export async function scale(): Promise<readonly Figure[]> {
  return [...(await manyPackages()), ...(await manyBytes())];
}

async function manyPackages(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(packages * bytesOfPackage);
  const { directory } = workspace;
  // A store whose log knows of objects before it has its marker is in doubt.
  await (await startArtifactstore(directory))[Symbol.asyncDispose]();
  let history: History | undefined;
  const writing = await seconds(() => {
    history = writeHistory(databasePath(directory), packages, { oldestFiles, filesPerPackage, expired });
  });
  const { events, files } = history!;
  progress(`${packages} packages, ${files} files, ${events} events written in ${writing.toFixed(0)} s`);
  settleDisk();
  const replay = await seconds(() => runArtifactstore(directory, ['replay']));
  progress(`replayed in ${replay.toFixed(0)} s`);
  settleDisk();
  return [
    {
      name: `replay of ${events.toLocaleString('en-GB')} events, the whole command`,
      value: events / replay,
      unit: '/s',
      bar: { of: 'value', atLeast: 40_000 },
    },
    ...(await measureStore(directory, history!)),
  ];
}

/** What such a store takes on the disk, and how quick it is: read only, then pushed into, then collected. */
export async function measureStore(directory: string, { files, ...addresses }: History): Promise<readonly Figure[]> {
  const size = statSync(databasePath(directory)).size;
  const starts: number[] = [];
  for (let repetition = 0; repetition < 3; repetition++) {
    await using server = await startArtifactstore(directory);
    starts.push(server.startSeconds);
  }
  await using server = await startArtifactstore(directory);
  const lists = await measureLists(server, listQueries(addresses));
  const worst = (times: keyof ListTimes) =>
    lists.toSorted((left, right) => percentile(right[times], 0.99) - percentile(left[times], 0.99))[0]!;
  const every = (times: keyof ListTimes) => lists.flatMap((list) => list[times]);
  const underFifty = { of: 'value', under: 50 } as const;
  const found = await findByDigest(server, addresses.largestPackage);
  const peak = server.peakResidentBytes();
  const pushes = await pushTrees(server, directory);
  return [
    { name: 'bytes of the database, a file', value: size / files, unit: 'B' },
    {
      name: `start to the first good /health, ${files.toLocaleString('en-GB')} files`,
      value: Math.max(...starts),
      unit: 's',
      bar: { of: 'value', under: 2 },
      note: 'slowest of 3',
    },
    { name: 'p99 of list pages of 100', value: percentile(every('hundred'), 0.99), unit: 'ms', bar: underFifty },
    {
      name: 'p99 of the slowest list, pages of 100',
      value: percentile(worst('hundred').hundred, 0.99),
      unit: 'ms',
      bar: underFifty,
      note: worst('hundred').query,
    },
    { name: 'p99 of list pages of 1,000', value: percentile(every('thousand'), 0.99), unit: 'ms', bar: underFifty },
    {
      name: 'p99 of the slowest list, pages of 1,000',
      value: percentile(worst('thousand').thousand, 0.99),
      unit: 'ms',
      bar: underFifty,
      note: worst('thousand').query,
    },
    { name: 'p99 of a look-up by digest', value: percentile(found, 0.99), unit: 'ms', bar: underFifty },
    { name: 'peak memory of that server', value: peak / 2 ** 20, unit: 'MiB' },
    { name: `push of ${pushedFiles} files of 4 KiB, the whole command`, value: percentile(pushes, 0.5), unit: 's', note: 'median of 3' },
    ...(await collection(directory)),
  ];
}

/** Milliseconds of looking for files by digests that one file has each. */
async function findByDigest(server: Artifactstore, packageId: string): Promise<readonly number[]> {
  const { authorization } = server;
  const ask = async (path: string) => {
    const response = await fetch(`${server.url}${path}`, { headers: { authorization } });
    const { items } = (await response.json()) as { readonly items: readonly { readonly content_address: string }[] };
    return items;
  };
  const [, ...known] = await ask(`/packages/${packageId}/files?limit=501`);
  const times: number[] = [];
  for (const { content_address } of known)
    times.push(
      1000 *
        (await seconds(async () => {
          if ((await ask(`/files?digest=${content_address}`)).length !== 1) throw new Error(`${content_address} was not found`);
        })),
    );
  return times;
}

/** Seconds of pushes of new trees, after one that compiles the command. */
async function pushTrees(server: Artifactstore, directory: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let repetition = 0; repetition < 4; repetition++) {
    const tree = join(directory, `tree-${repetition}`);
    mkdirSync(tree);
    for (let file = 0; file < pushedFiles; file++) writeFileSync(join(tree, `f${file}`), `${repetition} ${file} `.padEnd(4096, 'x'));
    settleDisk();
    times.push(
      await seconds(() => server.command('push', tree, '--producer', 'bench', '--subject', 'tree', '--retention-class', 'transient')),
    );
  }
  return times.slice(1);
}

async function collection(directory: string): Promise<readonly Figure[]> {
  settleDisk();
  const swept = await seconds(() => runArtifactstore(directory, ['retention', 'sweep']));
  let output = '';
  let peak = 0;
  const collected = await seconds(async () => {
    output = await runArtifactstore(directory, ['retention', 'gc', '--json'], {}, (bytes) => {
      peak = Math.max(peak, bytes);
    });
  });
  const { released_locations } = JSON.parse(output) as { readonly released_locations: number };
  return [
    { name: `sweep that marks ${expired.toLocaleString('en-GB')} packages, the whole command`, value: swept, unit: 's' },
    {
      name: `collection of them with ${released_locations.toLocaleString('en-GB')} locations, the whole command`,
      value: released_locations / collected,
      unit: '/s',
      bar: { of: 'value', atLeast: 10_000 },
    },
    { name: 'peak memory of that collection', value: peak / 2 ** 20, unit: 'MiB' },
  ];
}

/**
 * The first start of a clone compiles it, in every thread: 40 MiB more than any start after it, or than an installed
 * package takes.
 */
async function fillCompileCache(directory: string): Promise<void> {
  await using server = await startArtifactstore(directory);
  const packageId = await createPackage(server, 'first');
  await upload('PUT', `${server.url}/packages/${packageId}/files/first.bin`, { authorization: server.authorization }, newContent(2 ** 22));
}

/** One file of 10 GiB in and out again, and what the server had resident at its worst. */
async function manyBytes(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(11 * 2 ** 30);
  const { directory } = workspace;
  await fillCompileCache(directory);
  await using server = await startArtifactstore(directory);
  const packageId = await createPackage(server, 'large');
  const url = `${server.url}/packages/${packageId}/files/large.bin`;
  const { authorization } = server;
  const inSeconds = await seconds(() => upload('PUT', url, { authorization }, newContent(largeBytes)));
  progress(`10 GiB in: ${inSeconds.toFixed(0)} s`);
  let received = 0;
  const outSeconds = await seconds(async () => {
    received = await download(url, { authorization });
  });
  if (received !== largeBytes) throw new Error(`${received} bytes came out`);
  progress(`10 GiB out: ${outSeconds.toFixed(0)} s`);
  return [
    { name: '10 GiB in', value: largeBytes / 1e6 / inSeconds, unit: 'MB/s' },
    { name: '10 GiB out', value: largeBytes / 1e6 / outSeconds, unit: 'MB/s' },
    {
      name: 'peak memory with 10 GiB in and out',
      value: server.peakResidentBytes() / 2 ** 20,
      unit: 'MiB',
      bar: { of: 'value', under: 200 },
    },
  ];
}

/** So many files in each but the oldest, which has as many as there are packages, up to what a package may have. */
const packages = Number(process.env.ARTIFACTSTORE_TEST_BENCH_PACKAGES ?? 100_000);
const oldestFiles = Math.min(packages, 100_000);
const filesPerPackage = Number(process.env.ARTIFACTSTORE_TEST_BENCH_FILES ?? 10);
const expired = Math.min(packages - 1, 100_000);
/** With the write-ahead log of a replay: 5 KiB for each event. */
const bytesOfPackage = (filesPerPackage + 3) * 5_120;
const pushedFiles = 1_000;
const largeBytes = 10 * 2 ** 30;

if (import.meta.main) await report(scale);
