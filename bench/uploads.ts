import { randomFillSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { createPackage, startArtifactstore } from './server.ts';
import { type Content, newContent, upload } from './transfer.ts';
import { startTusd } from './tusd.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * Uploads that resume, by tus: one of 1 GiB in PATCHes of 16 MiB against one plain PUT of as much; and many of 64 KiB,
 * a creation and a PATCH each, against tusd on the same disk, which does not wait until they are durable.
 */
export async function uploads(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await using server = await startArtifactstore(directory);
  await using tusd = await startTusd(directory);
  const packageId = await createPackage(server, 'uploads');
  const endpoint = `${server.url}/uploads`;
  const authorized = { authorization: server.authorization };

  const runs = { put: [] as number[], tus: [] as number[], many: [] as number[], tusd: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const whole = newContent(fileBytes);
    runs.put.push(await seconds(() => upload('PUT', `${server.url}/packages/${packageId}/files/put-${repetition}`, authorized, whole)));
    settleDisk();
    const pieces = Array.from({ length: fileBytes / pieceBytes }, () => newContent(pieceBytes));
    const named = metadata({ package_id: packageId, relative_path: `tus-${repetition}` });
    runs.tus.push(await seconds(() => inPieces(endpoint, { ...authorized, 'upload-metadata': named }, pieces)));
    settleDisk();
    runs.many.push(
      await seconds(() =>
        many(endpoint, (index) => ({
          ...authorized,
          'upload-metadata': metadata({ package_id: packageId, relative_path: `many-${repetition}/${index}` }),
        })),
      ),
    );
    settleDisk();
    if (tusd !== undefined) {
      runs.tusd.push(await seconds(() => many(`${tusd.url}/uploads/`, () => ({}))));
      rmSync(join(directory, 'tusd'), { recursive: true, force: true });
      settleDisk();
    }
    progress(
      Object.entries(runs)
        .map(([name, times]) => `${name} ${times.at(-1)?.toFixed(2) ?? '-'} s`)
        .join(', '),
    );
  }

  const rate = (times: readonly number[]): number => fileBytes / 1e6 / median(times);
  const each = (times: readonly number[]): number => count / median(times);
  const name = `${count} uploads of 64 KiB by tus, ${concurrent} at a time`;
  return [
    {
      name: '1 GiB by tus in PATCHes of 16 MiB',
      value: rate(runs.tus),
      unit: 'MB/s',
      against: { name: 'one PUT', value: rate(runs.put) },
      bar: { of: 'ratio', atLeast: 0.8 },
    },
    tusd === undefined
      ? { name, value: each(runs.many), unit: '/s', note: 'install tusd to compare' }
      : { name, value: each(runs.many), unit: '/s', against: { name: 'tusd', value: each(runs.tusd) }, bar: { of: 'ratio', atLeast: 2 } },
  ];
}

type Headers = Readonly<Record<string, string>>;

async function inPieces(endpoint: string, headers: Headers, pieces: readonly Content[]): Promise<void> {
  const address = await begin(endpoint, { ...headers, 'upload-length': String(fileBytes) });
  for (const [index, piece] of pieces.entries())
    await upload('PATCH', address, { ...headers, ...patch, 'upload-offset': String(index * pieceBytes) }, piece);
}

async function many(endpoint: string, headersOf: (index: number) => Headers): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const headers = headersOf(index);
      const address = await begin(endpoint, { ...headers, 'upload-length': String(smallBytes) });
      const body = randomFillSync(Buffer.allocUnsafe(smallBytes));
      const response = await fetch(address, { method: 'PATCH', headers: { ...headers, ...patch, 'upload-offset': '0' }, body });
      if (response.status !== 204) throw new Error(`PATCH ${address}: ${response.status} ${await response.text()}`);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, work));
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

const patch: Headers = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' };
const fileBytes = 2 ** 30;
const pieceBytes = 2 ** 24;
const smallBytes = 65_536;
const count = 1_000;
const concurrent = 16;
const repetitions = 3;

if (import.meta.main) await report(uploads);
