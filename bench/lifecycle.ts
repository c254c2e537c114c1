import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { openRegistry } from '../src/compose/open-registry.ts';
import { createHasher } from '../src/kernel/content/digest.ts';
import { type Figure, median, percentile, progress, report, seconds } from './figure.ts';
import { writeHistory } from './history.ts';
import { type Artifactstore, databasePath, runArtifactstore, startArtifactstore } from './server.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * Verification against reading and hashing the same files, and a collection of 100,000 packages with 1,000,000 files
 * beside a server.
 */
export async function lifecycle(): Promise<readonly Figure[]> {
  return [await verification(), ...(await collection())];
}

async function verification(): Promise<Figure> {
  using workspace = openWorkspace(2 * 2 ** 30);
  await using store = await openRegistry({ directory: workspace.directory });
  const { files, packages } = store.as('bench');
  const { id } = (await packages.create({ name: 'verify', producer: 'bench', subject: 'verify', retention_class: 'transient' })).record;
  const bytes = Buffer.alloc(4 * 2 ** 20);
  for (let index = 0; index < verifiedObjects; index++) {
    bytes.writeUInt32LE(index);
    await files.add(id, { relative_path: `f${index}`, body: one(bytes) });
  }
  settleDisk();
  const root = join(workspace.directory, 'storage', 'blake3');
  const paths = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const total = verifiedObjects * bytes.length;
  const ours: number[] = [];
  const plain: number[] = [];
  for (let repetition = 0; repetition < 3; repetition++) {
    plain.push(total / 1e6 / (await seconds(() => hashAll(paths.map((entry) => join(entry.parentPath, entry.name))))));
    ours.push(total / 1e6 / (await seconds(() => store.operator.verifyStorage('local', { restart: true }))));
  }
  return {
    name: `storage verify, ${verifiedObjects} objects of 4 MiB`,
    value: median(ours),
    unit: 'MB/s',
    against: { name: 'reading and hashing them on one core', value: median(plain) },
    bar: { of: 'ratio', atLeast: 0.8 },
  };
}

async function hashAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const hashers = [createHasher('blake3'), createHasher('sha256')];
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) for (const hasher of hashers) hasher.update(chunk);
    for (const hasher of hashers) hasher.digest();
  }
}

async function collection(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await markStore(directory);
  const { files } = writeHistory(databasePath(directory), collectedPackages, { expired: collectedPackages });
  progress(`${collectedPackages} packages, ${files} files written`);
  await runArtifactstore(directory, ['replay']);
  settleDisk();
  await using server = await startArtifactstore(directory);
  const listed = (await read(server, '/packages?limit=100')) as { readonly items: readonly { readonly id: string }[] };
  const answers: number[] = [];
  let over = false;
  const asking = (async () => {
    for (let index = 0; !over; index++) {
      const { id } = listed.items[index % listed.items.length]!;
      answers.push(1000 * (await seconds(() => read(server, `/packages/${id}`))));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const swept = await seconds(() => runArtifactstore(directory, ['retention', 'sweep']));
  progress(`swept in ${swept.toFixed(0)} s`);
  let highest = 0;
  const collecting = runArtifactstore(directory, ['retention', 'gc', '--json']);
  const watching = setInterval(async () => {
    highest = Math.max(highest, await largestMemory('gc'));
  }, 200);
  let released = 0;
  const collected = await seconds(async () => {
    released = (JSON.parse(await collecting) as { readonly released_locations: number }).released_locations;
  });
  clearInterval(watching);
  over = true;
  await asking;
  return [
    {
      name: `collection of ${collectedPackages.toLocaleString('en-GB')} packages, the whole command`,
      value: released / collected,
      unit: '/s',
      bar: { of: 'value', atLeast: 10_000 },
      note: `${released.toLocaleString('en-GB')} locations, whose bytes are not on the disk`,
    },
    {
      name: 'GET /packages/{id} meanwhile, p99',
      value: percentile(answers, 0.99),
      unit: 'ms',
      bar: { of: 'value', under: 50 },
    },
    { name: 'memory of the collection, high water', value: highest, unit: 'MiB' },
  ];
}

/** A store that has its marker: one without, of a log that knows of objects there, is in doubt. */
async function markStore(directory: string): Promise<void> {
  await using server = await startArtifactstore(directory);
  await read(server, '/health');
}

/** The most memory that a child of this process with `word` on its command line has used, in MiB. */
async function largestMemory(word: string): Promise<number> {
  let most = 0;
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (!status.includes(`PPid:\t${process.pid}\n`)) continue;
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (command.includes(word)) most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }
  return most;
}

async function read(server: Artifactstore, path: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  get(`${server.url}${path}`, { headers: { authorization: server.authorization } }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    response.on('end', () => resolve(JSON.parse(text))).on('error', reject);
  }).on('error', reject);
  return await promise;
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

const verifiedObjects = 128;
const collectedPackages = Number(process.env.ARTIFACTSTORE_TEST_BENCH_PACKAGES ?? 100_000);

if (import.meta.main) await report(lifecycle);
