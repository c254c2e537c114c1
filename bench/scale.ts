import { Agent, get } from 'node:http';
import { type Figure, percentile, progress, report, seconds } from './figure.ts';
import { type History, writeHistory } from './history.ts';
import { type Artifactstore, createPackage, databasePath, runArtifactstore, startArtifactstore } from './server.ts';
import { download, newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * 100,000 packages with 1,000,000 files in SQLite: replay, start, and any page of any list; then 10 GiB through a small
 * process.
 */
export async function scale(): Promise<readonly Figure[]> {
  return [...(await manyPackages()), ...(await manyBytes())];
}

async function manyPackages(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await runArtifactstore(directory, ['migrate']);
  let history: History | undefined;
  const writing = await seconds(() => {
    history = writeHistory(databasePath(directory), packages, { oldestFiles });
  });
  const { events, files, ...addresses } = history!;
  progress(`${packages} packages, ${files} files, ${events} events written in ${writing.toFixed(0)} s`);
  settleDisk();
  const replay = await seconds(() => runArtifactstore(directory, ['replay']));
  progress(`replayed in ${replay.toFixed(0)} s`);
  settleDisk();

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
  return [
    {
      name: `replay of ${events.toLocaleString('en-GB')} events, the whole command`,
      value: events / replay,
      unit: '/s',
      bar: { of: 'value', atLeast: 50_000 },
    },
    {
      name: 'start to the first good /health, 1,000,000 files',
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
    { name: 'peak memory of that server', value: server.peakResidentBytes() / 2 ** 20, unit: 'MiB' },
  ];
}

/** Every filter alone, those that meet often, seldom and never in pairs, and the lists of files. */
function listQueries({ largestPackage, sharedAddress }: Pick<History, 'largestPackage' | 'sharedAddress'>): readonly string[] {
  const filters = [
    '',
    'producer=nightly',
    'producer=retired',
    'producer=team-7',
    'producer=nobody',
    'subject=component-77',
    'retention_class=raw-evidence',
    'status=finalized',
    'status=created',
    'status=garbage_collected',
    'metadata.branch=main',
    'metadata.branch=feature-120',
    'metadata.build=4711',
    'metadata.outcome=passed',
    'producer=nightly&status=finalized',
    'producer=nightly&subject=component-78',
    'producer=retired&status=finalized',
    'producer=retired&metadata.branch=main',
    'producer=team-7&retention_class=permanent-record',
    'producer=team-7&metadata.outcome=failed',
    'producer=nightly&metadata.outcome=failed',
    'producer=nightly&metadata.branch=main&status=abandoned',
    'subject=component-77&metadata.branch=main',
    'status=finalized&metadata.build=4711',
    'status=abandoned&metadata.outcome=passed',
    'retention_class=transient&status=created&metadata.branch=main',
    'metadata.outcome=passed&metadata.reviewed=yes',
    'metadata.branch=main&metadata.outcome=failed&metadata.reviewed=yes',
  ];
  return [
    ...filters.map((filter) => (filter === '' ? '/packages' : `/packages?${filter}`)),
    `/packages/${largestPackage}/files`,
    `/files?digest=${sharedAddress}`,
    '/metadata-schemas',
  ];
}

interface ListTimes {
  /** Milliseconds of pages of so many items, first ones and deep ones. */
  readonly hundred: readonly number[];
  readonly thousand: readonly number[];
}

async function measureLists(
  server: Artifactstore,
  queries: readonly string[],
): Promise<readonly (ListTimes & { readonly query: string })[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const lists = [];
  for (const query of queries) {
    const thousand: number[] = [];
    const cursors: (string | null)[] = [null];
    for (let cursor: string | null = null; thousand.length < deepestPage; cursors.push(cursor)) {
      const page: ListPage = await readPage(query, 1000, cursor);
      thousand.push(page.milliseconds);
      cursor = page.nextCursor;
      if (cursor === null) break;
    }
    const hundred: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const cursor = sample % 2 === 0 ? null : cursors[Math.floor((sample * cursors.length) / samples)]!;
      hundred.push((await readPage(query, 100, cursor)).milliseconds);
    }
    while (thousand.length < samples) thousand.push((await readPage(query, 1000, cursors[thousand.length % cursors.length]!)).milliseconds);
    progress(
      `${query}: p99 ${percentile(hundred, 0.99).toFixed(1)} ms, of 1,000 items ${percentile(thousand, 0.99).toFixed(1)} ms (${cursors.length} deep)`,
    );
    lists.push({ query, hundred, thousand });
  }
  agent.destroy();
  return lists;

  interface ListPage {
    readonly milliseconds: number;
    readonly nextCursor: string | null;
  }

  async function readPage(query: string, limit: number, cursor: string | null): Promise<ListPage> {
    const url = `${server.url}${query}${query.includes('?') ? '&' : '?'}limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const chunks: Uint8Array[] = [];
    const spent = await seconds(
      () =>
        new Promise<void>((resolve, reject) =>
          get(url, { agent, headers: { authorization: server.authorization } }, (response) => {
            if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`));
            response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
            response.once('end', resolve).once('error', reject);
          }).once('error', reject),
        ),
    );
    const { next_cursor } = JSON.parse(Buffer.concat(chunks).toString()) as { next_cursor: string | null };
    return { milliseconds: 1000 * spent, nextCursor: next_cursor };
  }
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

/** Nine files in each but the oldest, which has as many as a package may: a million in all. */
const packages = 100_001;
const oldestFiles = 100_000;
const largeBytes = 10 * 2 ** 30;
const deepestPage = 100;
const samples = 100;

if (import.meta.main) await report(scale);
