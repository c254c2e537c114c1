import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { type Figure, median, percentile, progress, report, seconds } from './figure.ts';
import { type Issuer, openIssuer } from './issuer.ts';
import { fillPackages, producers, type Sample } from './packages-of-producers.ts';
import { type Artifactstore, databasePath, runArtifactstore, startArtifactstore } from './server.ts';
import { newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * What grants cost: lists over a million packages of which the reader sees one in a hundred, and single records and 4
 * KiB downloads with a token of an access file of 1,000 grants, and with one that an issuer signed, against a token of
 * the server.
 */
export async function access(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(4 * 2 ** 30);
  const { directory } = workspace;
  await runArtifactstore(directory, ['migrate']);
  const filling = await seconds(() => fillPackages(databasePath(directory), packages));
  progress(`${packages} packages of ${producers.length} producers in ${filling.toFixed(0)} s`);
  const path = join(directory, 'access.toml');
  await using issuer = await openIssuer();
  writeFileSync(path, accessFile(issuer), { mode: 0o600 });
  await using server = await startArtifactstore(directory, { ARTIFACTSTORE_ACCESS_CONFIG_PATH: path });
  const files = await placeFiles(server);
  settleDisk();
  return [...(await measureLists(server)), ...(await measureRates(server, files, await issuer.sign({ job: 'one' }, audience)))];
}

const readers = {
  'one exact producer': ['one'],
  'a glob that 100 of 20,000 producers match': ['lab-*'],
  'a glob with nothing to begin with': ['*-lab-5??'],
  '10,000 exact producers': producers.filter((name) => name.startsWith('solo-')),
} as const;

const tokenOf = (reader: string) => `bench-token-of ${reader}`.replaceAll(/[^a-z0-9]/g, '-');

/** For whom tokens of the issuer are. */
const audience = 'https://artifacts.example.org';

/** A thousand grants: those of the readers and of a job, and others that nobody asks with. */
function accessFile({ url }: Issuer): string {
  const issuer = `[issuers.own]\nissuer = "${url}"\njwks_url = "${url}/keys"\naudience = "${audience}"\nalgorithms = ["ES256"]\n`;
  const ofJob = (job: string, name: string) =>
    `[[grants]]\nissuer = "own"\nclaims = { job = "${job}" }\nactor = "job:{job}"\nrole = "reader"\nproducers = ["${name}"]\n`;
  const grant = (token: string, names: readonly string[]) =>
    `[[grants]]\ntoken_sha256 = "${createHash('sha256').update(token).digest('hex')}"\nactor = "${token.slice(0, 40)}"\nrole = "reader"\nproducers = ${JSON.stringify(names)}\n`;
  const grants = Object.entries(readers).flatMap(([reader, names]) =>
    Array.from({ length: Math.ceil(names.length / 1_000) }, (_, part) =>
      grant(tokenOf(reader), names.slice(part * 1_000, (part + 1) * 1_000)),
    ),
  );
  grants.push(ofJob('one', 'one'));
  while (grants.length < 500) grants.push(grant(`another token ${grants.length}`, ['another']));
  while (grants.length < 1_000) grants.push(ofJob(`other-${grants.length}`, 'another'));
  return [issuer, ...grants].join('\n');
}

const filters = ['', 'status=finalized', 'status=abandoned', 'metadata.build=4711', 'subject=component-8&status=finalized'];

async function measureLists(server: Artifactstore): Promise<readonly Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const figures: Figure[] = [];
  for (const reader of Object.keys(readers)) {
    let worst = { filter: '', time: 0, pages: 0 };
    for (const filter of filters) {
      const times: number[] = [];
      let cursor: string | null = null;
      let pages = 0;
      while (times.length < samples) {
        const query = [`limit=100`, filter, cursor === null ? '' : `cursor=${cursor}`].filter((part) => part !== '').join('&');
        let answer = '';
        times.push(
          1000 *
            (await seconds(async () => {
              answer = (await ask(`${server.url}/packages?${query}`, `Bearer ${tokenOf(reader)}`, agent)).toString();
            })),
        );
        cursor = (JSON.parse(answer) as { readonly next_cursor: string | null }).next_cursor;
        pages += 1;
        if (pages % 10 === 0) cursor = null;
      }
      const time = percentile(times, 0.99);
      progress(`${reader}, ${filter}: p99 ${time.toFixed(1)} ms, median ${median(times).toFixed(1)} ms`);
      if (time > worst.time) worst = { filter, time, pages };
    }
    figures.push({
      name: `p99 of list pages of 100 over ${packages.toLocaleString('en-GB')} packages, 1 % of them seen by ${reader}`,
      value: worst.time,
      unit: 'ms',
      bar: { of: 'value', under: 50 },
      note: worst.filter === '' ? 'slowest without a filter' : `slowest with ${worst.filter}`,
    });
  }
  agent.destroy();
  return figures;
}

async function placeFiles(server: Artifactstore): Promise<Sample> {
  const { id } = await server.post('/packages', { name: 'n', producer: 'one', subject: 's', retention_class: 'transient' });
  const downloads: string[] = [];
  for (let index = 0; index < 200; index++) {
    const { body } = await upload(
      'PUT',
      `${server.url}/packages/${id}/files/${index}`,
      { authorization: server.authorization },
      newContent(4_096),
    );
    downloads.push(`/files/${(JSON.parse(body) as { readonly id: string }).id}/download`);
  }
  const { items } = JSON.parse(
    (await ask(`${server.url}/packages?producer=one&limit=1000`, server.authorization, new Agent())).toString(),
  ) as { readonly items: readonly { readonly id: string }[] };
  return { downloads, packages: items.map((item) => `/packages/${item.id}`) };
}

async function measureRates(server: Artifactstore, { downloads, packages: records }: Sample, jobToken: string): Promise<readonly Figure[]> {
  const reader = `Bearer ${tokenOf('one exact producer')}`;
  const job = `Bearer ${jobToken}`;
  const figures: Figure[] = [];
  for (const [name, paths] of [
    ['GET /packages/{id}', records],
    ['downloads of 4 KiB', downloads],
  ] as const) {
    const rates = { server: [] as number[], reader: [] as number[], job: [] as number[] };
    for (let repetition = 0; repetition < 5; repetition++) {
      rates.server.push(await rateOf(server, paths, server.authorization));
      rates.reader.push(await rateOf(server, paths, reader));
      rates.job.push(await rateOf(server, paths, job));
      const [last, ofReader, ofJob] = [rates.server, rates.reader, rates.job].map((each) => each.at(-1)!.toFixed(0));
      progress(`${name}: a token of the server ${last}/s, a reader ${ofReader}/s, a job ${ofJob}/s`);
    }
    for (const [who, measured] of [
      ['a token of the file', rates.reader],
      ['a token of an issuer', rates.job],
    ] as const)
      figures.push({
        name: `${name} with ${who}, access file of 1,000 grants`,
        value: median(measured),
        unit: '/s',
        against: { name: 'a token of the server', value: median(rates.server) },
        bar: { of: 'ratio', atLeast: 0.9 },
      });
  }
  return figures;
}

/** Answers a second over kept connections. */
async function rateOf(server: Artifactstore, paths: readonly string[], authorization: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let count = 0;
  const spent = await seconds(async () => {
    const end = performance.now() + 3_000;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (performance.now() < end) await ask(`${server.url}${paths[count++ % paths.length]}`, authorization, agent);
      }),
    );
  });
  agent.destroy();
  return count / spent;
}

function ask(url: string, authorization: string, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization } }, (response) => {
      const chunks: Buffer[] = [];
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`));
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve(Buffer.concat(chunks))).once('error', reject);
    }).once('error', reject);
  });
}

const packages = 1_000_000;
const samples = 60;
const connections = 32;

if (import.meta.main) await report(access);
