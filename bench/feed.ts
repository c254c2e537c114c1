import { Agent, get } from 'node:http';
import { decodeCbor } from '../src/kernel/format/cbor.ts';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { writeHistory } from './history.ts';
import { databasePath, runArtifactstore, startArtifactstore } from './server.ts';
import { openWorkspace } from './workspace.ts';

/**
 * How fast `/events` delivers: pages of 500 over kept connections, each reader asking for the next page when it has the
 * last byte of this one, from the first event to the last. Events of a mixed history, a KiB each on average.
 */
export async function feed(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(2 ** 30);
  const { directory } = workspace;
  await runArtifactstore(directory, ['migrate']);
  const history = writeHistory(databasePath(directory), packages);
  await using server = await startArtifactstore(directory);

  const figures: Figure[] = [];
  for (const [format, accept, decode] of formats) {
    await checkFeed(decode);
    for (const readers of [1, 4]) {
      const rates: number[] = [];
      let bytes = 0;
      for (let repetition = 0; repetition < repetitions; repetition++) {
        const spent = await seconds(async () => {
          const read = await Promise.all(Array.from({ length: readers }, () => readFeed()));
          bytes = read.reduce((sum, each) => sum + each, 0);
        });
        rates.push((readers * history.events) / spent);
      }
      progress(
        `${format}, ${readers} readers: ${median(rates).toFixed(0)} events/s, ${(bytes / readers / history.events).toFixed(0)} bytes each`,
      );
      figures.push({
        name: `/events delivered, ${format}, ${readers === 1 ? 'one reader' : `${readers} readers`}`,
        value: median(rates),
        unit: '/s',
        // CBOR is what a reader gets who asks for nothing else.
        ...(format === 'CBOR' ? { bar: { of: 'value', atLeast: 100_000 } as const } : {}),
      });
    }

    async function readFeed(): Promise<number> {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let bytes = 0;
      for (let since = 0; since < history.events; since += pageLength) bytes += await page(agent, since);
      agent.destroy();
      return bytes;
    }

    function page(agent: Agent, since: number, keep?: Uint8Array[]): Promise<number> {
      const headers = { authorization: server.authorization, accept };
      return new Promise((resolve, reject) =>
        get(`${server.url}/events?since=${since}&limit=${pageLength}`, { agent, headers }, (response) => {
          if (response.statusCode !== 200) reject(new Error(`/events answered ${response.statusCode}`));
          let length = 0;
          response.on('data', (chunk: Uint8Array) => {
            length += chunk.length;
            keep?.push(chunk);
          });
          response.once('end', () => resolve(length)).once('error', reject);
        }).once('error', reject),
      );
    }

    /** Before anything is timed: that every page is whole, in order and of the form that was asked for. */
    async function checkFeed(decodePage: (bytes: Uint8Array) => unknown): Promise<void> {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let since = 0; since < history.events; since += pageLength) {
        const chunks: Uint8Array[] = [];
        await page(agent, since, chunks);
        const { items } = decodePage(Buffer.concat(chunks)) as { items: readonly { sequence: number }[] };
        const expected = Math.min(pageLength, history.events - since);
        if (items.length !== expected || items[0]?.sequence !== since + 1 || items.at(-1)?.sequence !== since + expected)
          throw new Error(`the page after ${since} holds ${items.length} events`);
      }
      agent.destroy();
    }
  }
  return figures;
}

const formats = [
  ['CBOR', 'application/cbor', (bytes: Uint8Array): unknown => decodeCbor(bytes)],
  ['JSON', 'application/json', (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))],
] as const;
const pageLength = 500;
const packages = 8_500;
const repetitions = 3;

if (import.meta.main) await report(feed);
