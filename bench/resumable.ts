import process from 'node:process';
import { type Figure, middlePair, progress, report, seconds } from './figure.ts';
import { createPackage, startArtifactstore } from './server.ts';
import { newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * One file in over HTTP by one request that can be resumed, which makes what came durable every 64 MiB, against
 * a plain PUT of as many bytes, in turns. 1 GiB, or as many MiB as `BENCH_RESUMABLE_MIB`.
 */
export async function resumable(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(2 * (repetitions + 1) * fileBytes);
  await using server = await startArtifactstore(workspace.directory);
  const packageId = await createPackage(server, 'resumable');
  const { url, authorization } = server;
  const resuming = { 'upload-complete': '?1', 'upload-draft-interop-version': '8' };
  const pairs: (readonly [resumable: number, plain: number])[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    const rates = { plain: 0, resumable: 0 };
    // By turns the first: what the disk gives may change in the middle of a pair.
    for (const way of repetition % 2 === 0 ? (['plain', 'resumable'] as const) : (['resumable', 'plain'] as const)) {
      const headers = { authorization, ...(way === 'plain' ? {} : resuming) };
      const content = newContent(fileBytes);
      const taken = await seconds(() => upload('PUT', `${url}/packages/${packageId}/files/${way}-${repetition}`, headers, content));
      rates[way] = fileBytes / taken / 1e6;
      progress(`${way} ${rates[way].toFixed(0)} MB/s`);
      settleDisk();
    }
    // The first of each pays for what is done once.
    if (repetition > 0) pairs.push([rates.resumable, rates.plain]);
  }
  const [value, plain] = middlePair(pairs);
  return [
    {
      name: `${fileBytes / 2 ** 20} MiB in one request that can be resumed`,
      value,
      unit: 'MB/s',
      against: { name: 'plain PUT', value: plain },
      bar: { of: 'ratio', atLeast: 0.95 },
    },
  ];
}

const fileBytes = Number(process.env.BENCH_RESUMABLE_MIB ?? 1_024) * 2 ** 20;
const repetitions = 6;

if (import.meta.main) await report(resumable);
