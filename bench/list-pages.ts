import { Agent, get } from 'node:http';
import { percentile, progress, seconds } from './figure.ts';
import type { History } from './history.ts';
import type { Artifactstore } from './server.ts';

/** Every filter alone, those that meet often, seldom and never in pairs, and the lists of files. */
export function listQueries({ largestPackage, sharedAddress }: Pick<History, 'largestPackage' | 'sharedAddress'>): readonly string[] {
  const filters = [
    '',
    'name=build%204711',
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

export interface ListTimes {
  /** Milliseconds of pages of so many items, first ones and deep ones. */
  readonly hundred: readonly number[];
  readonly thousand: readonly number[];
}

export async function measureLists(
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

const deepestPage = 100;
const samples = 100;
